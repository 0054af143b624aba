"""Which of a run's averaged weights a checkpoint holds, in the words of every door."""

NAMED = {"": "", "short": "the shorter average", "long": "the longer average"}


def average_in_words(ema: str) -> str:
    """Which average weights are: "the longer average", "an average of length 0.15"; "" for those that are none."""
    return NAMED.get(ema, f"an average of length {ema}")
