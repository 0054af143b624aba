"""Noise and times: where a drawing starts and the steps it takes."""

import numpy as np

LEAST_NOISE, MOST_NOISE = 0.002, 80.0  # of EDM's usual range (Karras et al. 2022, table 1)


def starting_noise(seeds: list[int], shape: tuple[int, ...]) -> np.ndarray:
    """Standard normal noise (len(seeds), *shape), float32: one stream per picture, whatever the batch."""
    return np.stack([np.random.Generator(np.random.Philox(seed)).standard_normal(shape, np.float32) for seed in seeds])


def rising_times(steps: int, shift: float = 1.0) -> list[float]:
    """`steps` + 1 times from 0 (noise) to 1 (picture); shift > 1 spends more of them near the noise."""
    even = [step / steps for step in range(steps + 1)]
    return [t / (t + shift * (1 - t)) for t in even]


def falling_noise(steps: int, bend: float = 7.0) -> list[float]:
    """`steps` + 1 times whose noise (1 - t) / t falls from 80 to 0.002 and then to none, ever more slowly.

    Equation 5 and table 1 of Karras et al. 2022 (arXiv 2206.00364), with rho = `bend`, as times t = 1 / (1 + sigma).
    """
    first, last = MOST_NOISE ** (1 / bend), LEAST_NOISE ** (1 / bend)
    even = [step / max(steps - 1, 1) for step in range(steps)]
    return [1 / (1 + (first + share * (last - first)) ** bend) for share in even] + [1.0]
