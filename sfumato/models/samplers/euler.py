"""Euler's method on the flow's straight paths (Liu et al. 2022, arXiv 2209.03003): one call a step."""

from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from typing import Any

ORDER = 1


def sample(denoise: Callable[[Any, float], Any], z: Any, times: Sequence[float]) -> Iterator[Any]:
    """Walk z (B, C, S, S) along rising `times`; yields the state after each step, the last one is the picture."""
    for here, there in pairwise(times):
        velocity = (denoise(z, here) - z) / (1 - here)
        z = z + (there - here) * velocity
        yield z
