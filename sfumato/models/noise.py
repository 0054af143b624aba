"""Noise and times: where a drawing starts and the steps it takes."""

import numpy as np


def starting_noise(seeds: list[int], shape: tuple[int, ...]) -> np.ndarray:
    """Standard normal noise (len(seeds), *shape), float32: one stream per picture, whatever the batch."""
    return np.stack([np.random.Generator(np.random.Philox(seed)).standard_normal(shape, np.float32) for seed in seeds])


def rising_times(steps: int, shift: float = 1.0) -> list[float]:
    """`steps` + 1 times from 0 (noise) to 1 (picture); shift > 1 spends more of them near the noise."""
    even = [step / steps for step in range(steps + 1)]
    return [t / (t + shift * (1 - t)) for t in even]
