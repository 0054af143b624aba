"""How far shares are from what they ought to be, whether chance explains it, and how many pictures tell."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from sfumato.errors import InvalidInput
from sfumato.statistics.intervals import CONFIDENCE, Interval, wilson

POWER = 0.8
MOST = 100_000_000  # pictures; what needs more cannot be told


@dataclass(frozen=True)
class Distance:
    """The total variation distance of shares from a target, what it would be by chance at this n, and what is left."""

    value: float
    by_chance: float
    chance_high: float  # 95 % of samples from the target itself are nearer than this
    excess: float


@dataclass(frozen=True)
class GTest:
    """A likelihood-ratio test (Sokal and Rohlf): the statistic, its degrees of freedom, and p."""

    g: float
    freedom: int
    p: float


def share_intervals(counts: Mapping[str, int], confidence: float = CONFIDENCE) -> dict[str, Interval]:
    """Shares of groups with intervals that hold for all of them at once (Goodman 1965): Wilson's, shared out."""
    n, groups = sum(counts.values()), max(1, len(counts))
    each = 1 - (1 - confidence) / groups
    return {name: wilson(count / n if n else 0.0, n, each) for name, count in counts.items()}


def distance_to(counts: Sequence[int], target: Sequence[float], *, draws: int = 4000, seed: int = 0) -> Distance:
    """Half the sum of |share - target|, beside its mean over samples of the same n from the target itself.

    Even a perfectly balanced source has a distance above zero in a sample: `excess` has that subtracted.
    """
    found, wanted = _checked(counts, target)
    n = int(found.sum())
    value = float(np.abs(found / n - wanted).sum() / 2)
    samples = np.random.default_rng(seed).multinomial(n, wanted, draws) / n
    chance = np.abs(samples - wanted).sum(1) / 2
    mean = float(chance.mean())
    return Distance(value, mean, float(np.quantile(chance, 0.95)), max(0.0, value - mean))


def cohens_w(counts: Sequence[int], target: Sequence[float]) -> float:
    """Cohen's w (1988): sqrt(sum (share - target)² / target); 0.1 is small, 0.3 medium, 0.5 large."""
    found, wanted = _checked(counts, target)
    return float(np.sqrt(((found / found.sum() - wanted) ** 2 / wanted).sum()))


def goodness(counts: Sequence[int], target: Sequence[float]) -> GTest:
    """Whether counts may come from the target shares: G = 2 sum O log(O / E)."""
    found, wanted = _checked(counts, target)
    expected = found.sum() * wanted
    return _tested(found, expected, len(found) - 1)


def independence(table: Sequence[Sequence[int]]) -> tuple[GTest, float]:
    """Whether rows and columns of a table have to do with each other, and how much: G, and Cramér's V from 0 to 1."""
    found = np.asarray(table, np.float64)
    found = found[found.sum(1) > 0][:, found.sum(0) > 0]
    n, least = found.sum(), min(found.shape, default=0) - 1
    if least < 1:
        return GTest(0.0, 0, 1.0), 0.0
    expected = found.sum(1, keepdims=True) * found.sum(0, keepdims=True) / n
    chi_squared = float(((found - expected) ** 2 / expected).sum())
    freedom = (found.shape[0] - 1) * (found.shape[1] - 1)
    return _tested(found, expected, freedom), math.sqrt(min(1.0, chi_squared / (n * least)))


def holm(p_values: Sequence[float]) -> list[float]:
    """P values of several tests, adjusted so that all hold at once (Holm 1979)."""
    order = sorted(range(len(p_values)), key=lambda one: p_values[one])
    adjusted, highest = [0.0] * len(p_values), 0.0
    for rank, place in enumerate(order):
        highest = max(highest, min(1.0, p_values[place] * (len(p_values) - rank)))
        adjusted[place] = highest
    return adjusted


def needed_for_share(share: float, target: float, *, power: float = POWER, alpha: float = 1 - CONFIDENCE) -> int:
    """How many pictures show, with this power, that a share differs from the target: normal approximation, two-sided.

    n = ((z_alpha sqrt(t (1 - t)) + z_power sqrt(s (1 - s))) / (s - t))².
    """
    if not 0 < target < 1 or not 0 <= share <= 1 or share == target:
        raise InvalidInput(f"No number of pictures tells a share of {share} from {target}.")
    normal = NormalDist()
    noise = normal.inv_cdf(1 - alpha / 2) * math.sqrt(target * (1 - target))
    noise += normal.inv_cdf(power) * math.sqrt(share * (1 - share))
    return math.ceil((noise / (share - target)) ** 2)


def needed_for_effect(w: float, groups: int, *, power: float = POWER, alpha: float = 1 - CONFIDENCE) -> int:
    """How many pictures a chi-squared test of so many groups needs to see the effect w with this power."""
    if groups < 2 or not w > 0:
        raise InvalidInput(f"No number of pictures shows an effect of {w} among {groups} groups.")
    freedom = groups - 1
    critical = _quantile(freedom, alpha)
    low, high = 1, 2
    while _power(freedom, high * w * w, critical) < power:
        high *= 2
        if high > MOST:
            raise InvalidInput(f"An effect of {w} is too small for any number of pictures to show.")
    while low < high:
        middle = (low + high) // 2
        if _power(freedom, middle * w * w, critical) < power:
            low = middle + 1
        else:
            high = middle
    return low


def effective_size(weights: Sequence[float] | np.ndarray) -> float:
    """How many equally weighted pictures are worth as much as these (Kish 1965): (sum w)² / sum w²."""
    found = np.asarray(weights, np.float64)
    squares = float((found**2).sum())
    return float(found.sum() ** 2 / squares) if squares else 0.0


def _checked(counts: Sequence[int], target: Sequence[float]) -> tuple[np.ndarray, np.ndarray]:
    found, wanted = np.asarray(counts, np.float64), np.asarray(target, np.float64)
    if found.shape != wanted.shape or found.ndim != 1 or len(found) < 2 or found.sum() < 1 or (found < 0).any():
        raise InvalidInput("Shares are compared group by group: at least two, with some pictures.")
    if (wanted <= 0).any() or not math.isclose(float(wanted.sum()), 1, abs_tol=1e-6):
        raise InvalidInput("Each target share is above 0, and together they are 1.")
    return found, wanted / wanted.sum()


def _tested(found: np.ndarray, expected: np.ndarray, freedom: int) -> GTest:
    there = found > 0
    g = max(0.0, float(2 * (found[there] * np.log(found[there] / expected[there])).sum()))
    return GTest(g, freedom, upper_gamma(freedom / 2, g / 2))


def _quantile(freedom: int, alpha: float) -> float:
    """The value that a chi-squared variable exceeds with probability alpha."""
    low, high = 0.0, freedom + 10 * math.sqrt(2 * freedom) + 50
    for _ in range(200):
        middle = (low + high) / 2
        if upper_gamma(freedom / 2, middle / 2) > alpha:
            low = middle
        else:
            high = middle
    return (low + high) / 2


def _power(freedom: int, shift: float, critical: float) -> float:
    """How often a chi-squared variable with this noncentrality exceeds a value: a Poisson mixture of central ones."""
    half, total = shift / 2, 0.0
    first = max(0, int(half - 10 * math.sqrt(half) - 10))
    for extra in range(first, int(half + 10 * math.sqrt(half) + 20)):
        chance = math.exp(extra * math.log(half) - half - math.lgamma(extra + 1)) if half else float(extra == 0)
        total += chance * upper_gamma(freedom / 2 + extra, critical / 2)
    return total


def upper_gamma(a: float, x: float) -> float:
    """The regularised upper incomplete gamma function Q(a, x) (Abramowitz and Stegun 6.5.29 and 6.5.31)."""
    if x <= 0 or a <= 0:
        return 1.0
    scale = math.exp(a * math.log(x) - x - math.lgamma(a))
    if x < a + 1:
        term = total = 1 / a
        place = a
        while abs(term) > abs(total) * 1e-16:
            place += 1
            term *= x / place
            total += term
        return max(0.0, 1 - total * scale)
    b, tiny = x + 1 - a, 1e-300
    c, d = 1 / tiny, 1 / b
    fraction = d
    for step in range(1, 10_000):
        factor = -step * (step - a)
        b += 2
        d = factor * d + b
        d = 1 / (d if abs(d) > tiny else tiny)
        c = b + factor / c
        c = c if abs(c) > tiny else tiny
        fraction *= d * c
        if abs(d * c - 1) < 1e-15:
            break
    return min(1.0, fraction * scale)
