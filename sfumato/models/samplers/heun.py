"""Heun's method of second order (Karras et al. 2022, arXiv 2206.00364, algorithm 1): two calls a step."""

from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from typing import Any

ORDER = 2


def sample(denoise: Callable[[Any, float], Any], z: Any, times: Sequence[float]) -> Iterator[Any]:
    """Walk z (B, C, S, S) along rising `times`; the last step, where the slope has no end, is Euler's."""
    for here, there in pairwise(times):
        slope = (denoise(z, here) - z) / (1 - here)
        ahead = z + (there - here) * slope
        if there < 1:
            slope = 0.5 * (slope + (denoise(ahead, there) - ahead) / (1 - there))
            ahead = z + (there - here) * slope
        z = ahead
        yield z
