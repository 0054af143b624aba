"""What people write to each other: plain text, kept exactly as it was written, or refused in words."""

from sfumato.errors import InvalidInput

LONGEST = 2_000


def check_words(text: str, what: str, *, may_be_empty: bool = False) -> str:
    """The text as it is; raises InvalidInput where it says nothing, is too long or cannot be kept everywhere."""
    if not may_be_empty and not text.strip():
        raise InvalidInput(f"{what} is empty.", hint="Write it in a sentence or two.")
    if len(text) > LONGEST:
        raise InvalidInput(
            f"{what} has {len(text):,} characters; at most {LONGEST:,} are taken.", hint="Say it in fewer words."
        )
    if "\x00" in text or any("\ud800" <= one <= "\udfff" for one in text):
        raise InvalidInput(f"{what} holds characters that are no text.", hint="Write it again without them.")
    return text


def shortened(text: str, most: int = 80) -> str:
    """A text as one line of at most so many characters, for a summary or a title; what is not printable is left out."""
    line = " ".join("".join(one if one.isprintable() else " " for one in text).split())
    return line if len(line) <= most else f"{line[: most - 1].rstrip()}…"


def printable(text: str) -> str:
    """A text with its lines as they are, where a terminal would obey what cannot be printed; that is left out."""
    return "".join(one for one in text if one == "\n" or one.isprintable())
