"""DPM-Solver++(2M), multistep of second order (Lu et al. 2022, arXiv 2211.01095, algorithm 2): one call a step."""

import math
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from typing import Any

ORDER = 2
EDGE = 1e-4  # the log signal-to-noise ratio is infinite at t = 0 and t = 1


def sample(denoise: Callable[[Any, float], Any], z: Any, times: Sequence[float]) -> Iterator[Any]:
    """Walk z (B, C, S, S) along rising `times` in half the log signal-to-noise ratio, log(t / (1 - t))."""
    before, step_before = None, 0.0
    for here, there in pairwise(times):
        clean = denoise(z, here)
        if there >= 1:
            z = clean
        else:
            step = log_ratio(there) - log_ratio(here)
            guess = clean
            if before is not None and here > EDGE:
                lean = step / (2 * step_before)
                guess = (1 + lean) * clean - lean * before
            noise_left = (1 - there) / (1 - min(here, 1 - EDGE))
            z = noise_left * z + there * (1 - math.exp(-step)) * guess
            before, step_before = (clean, step) if here > EDGE else (None, 0.0)
        yield z


def log_ratio(t: float) -> float:
    """log(signal / noise) at time t, kept finite at both ends."""
    t = min(max(t, EDGE), 1 - EDGE)
    return math.log(t / (1 - t))
