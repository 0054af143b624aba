"""Guidance: leaning towards the words by comparing with and without them."""

from collections.abc import Callable
from typing import Any


def guided(
    both: Callable[[Any, float], tuple[Any, Any]],
    alone: Callable[[Any, float], Any],
    scale: float,
    interval: tuple[float, float],
) -> Callable[[Any, float], Any]:
    """Classifier-free guidance (Ho and Salimans 2022, equation 6) on an interval of times (arXiv 2404.07724).

    `both(z, t)` gives the predictions with and without words in one call, `alone(z, t)` only the first.
    """

    def denoise(z: Any, t: float) -> Any:
        if scale == 1 or not interval[0] <= t <= interval[1]:
            return alone(z, t)
        with_words, without = both(z, t)
        return without + scale * (with_words - without)

    return denoise
