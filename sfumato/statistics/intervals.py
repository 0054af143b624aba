"""How far a measured number can be trusted: Wilson's interval for shares, the bootstrap for means."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from sfumato.errors import InvalidInput

CONFIDENCE = 0.95


@dataclass(frozen=True)
class Interval:
    """A measured value, the bounds between which the true one lies with the stated confidence, and n."""

    value: float
    low: float
    high: float
    n: int


def wilson(share: float, n: int, confidence: float = CONFIDENCE) -> Interval:
    """Interval of a share in [0, 1] of n trials (Wilson 1927); with n = 0 anything is possible."""
    if n < 0 or not 0 <= share <= 1 or not 0 < confidence < 1:
        raise InvalidInput(f"A share of {share} of {n} trials at confidence {confidence} has no interval.")
    if n == 0:
        return Interval(float("nan"), 0.0, 1.0, 0)
    z = NormalDist().inv_cdf((1 + confidence) / 2)
    middle = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * np.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    low, high = max(0.0, middle - half), min(1.0, middle + half)
    return Interval(float(share), 0.0 if share == 0 else float(low), 1.0 if share == 1 else float(high), n)


def bootstrap_mean(
    values: Sequence[float] | np.ndarray, *, clusters: Sequence[object] | None = None, confidence: float = CONFIDENCE,
    draws: int = 2000, seed: int = 0,
) -> Interval:  # fmt: skip
    """Percentile interval of a mean by resampling (Efron 1979).

    Values of one cluster, such as several drawings of one prompt, are drawn together, since they are not independent.
    """
    found = np.asarray(values, np.float64)
    if found.ndim != 1 or not np.isfinite(found).all():
        raise InvalidInput("A mean needs one row of finite numbers.")
    if len(found) == 0:
        return Interval(float("nan"), -float("inf"), float("inf"), 0)
    names = list(range(len(found))) if clusters is None else list(clusters)
    if len(names) != len(found):
        raise InvalidInput(f"There are {len(found)} values and {len(names)} clusters.")
    places = {name: place for place, name in enumerate(dict.fromkeys(names))}
    of = np.array([places[name] for name in names])
    sums, counts = np.bincount(of, found), np.bincount(of)
    picks = np.random.default_rng(seed).integers(0, len(sums), (draws, len(sums)))
    means = sums[picks].sum(1) / counts[picks].sum(1)
    low, high = np.quantile(means, [(1 - confidence) / 2, (1 + confidence) / 2])
    return Interval(float(found.mean()), float(low), float(high), len(found))
