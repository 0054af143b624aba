"""How many different pictures there are in effect, and how many there would be by chance (Friedman and Dieng 2022)."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from sfumato.errors import InvalidInput

DRAWS = 10


@dataclass(frozen=True)
class Chance:
    """What a score would be by chance: the mean of so many draws, and the bounds of the middle 95 % of them."""

    value: float
    low: float
    high: float
    draws: int


def vendi(features: np.ndarray, *, order: float = 1.0) -> float:
    """The Vendi score of pictures as rows (n, d): from 1, when all are alike, to n, when none is like another.

    The similarity of two pictures is the cosine of their features. With l the eigenvalues of K / n, K being the
    similarities (n, n), it is exp(-sum l log l) (equation 3 of arXiv:2210.02410), and for another `order` q the Hill
    number (sum l^q)^(1 / (1 - q)) (arXiv:2310.12952); order infinity is 1 / max l. With more pictures than features
    the eigenvalues are taken from the (d, d) matrix X'X / n, which has the same ones but for zeros.
    """
    if order < 0:
        raise InvalidInput(f"A Vendi score has no order {order}.")
    return _hill(_spectrum(_rows(features)), order)


def by_columns(features: np.ndarray, *, order: float = 1.0, draws: int = DRAWS, seed: int = 0) -> Chance:
    """The score of as many pictures whose features have nothing to do with each other.

    Each column is shuffled by itself: every feature keeps its values, what goes together in a picture is lost. A
    collection with fewer kinds of pictures than its features would allow scores below this.
    """
    rows = _rows(features)

    def shuffled(random: np.random.Generator) -> np.ndarray:
        return random.permuted(rows, axis=0)

    return _drawn(shuffled, order, draws, seed)


def by_subsets(features: np.ndarray, n: int, *, order: float = 1.0, draws: int = DRAWS, seed: int = 0) -> Chance:
    """The score of `n` pictures taken at random, each at most once, from a larger collection.

    A category of n pictures that scores below this is more uniform than the collection that it belongs to.
    """
    rows = _rows(features)
    if not 1 <= n <= len(rows):
        raise InvalidInput(f"{n:,} pictures cannot be taken from {len(rows):,}.")

    def taken(random: np.random.Generator) -> np.ndarray:
        return rows[random.choice(len(rows), n, replace=False)]

    return _drawn(taken, order, draws, seed)


def _drawn(draw: Callable[[np.random.Generator], np.ndarray], order: float, draws: int, seed: int) -> Chance:
    random = np.random.default_rng(seed)
    found = [_hill(_spectrum(_unit(draw(random))), order) for _ in range(draws)]
    low, high = np.quantile(found, [0.025, 0.975])
    return Chance(float(np.mean(found)), float(low), float(high), draws)


def _rows(features: np.ndarray) -> np.ndarray:
    """Rows of length one; raises InvalidInput for what has no direction, naming the first such row."""
    rows = np.asarray(features, np.float64)
    if rows.ndim != 2 or 0 in rows.shape:
        raise InvalidInput("A Vendi score needs features as rows, one for each picture.")
    wrong = ~np.isfinite(rows).all(1) | ~rows.any(1)
    if wrong.any():
        raise InvalidInput(f"The features of picture {int(wrong.argmax())} are all zero, or no finite numbers.")
    return _unit(rows)


def _unit(rows: np.ndarray) -> np.ndarray:
    return rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-300)


def _spectrum(rows: np.ndarray) -> np.ndarray:
    """The eigenvalues of the similarities / n, from the smaller of the two matrices that have them."""
    n, d = rows.shape
    matrix = rows.T @ rows if n > d else rows @ rows.T  # (d, d) or (n, n)
    return np.linalg.eigvalsh(matrix / n).clip(0)


def _hill(values: np.ndarray, order: float) -> float:
    shares = values[values > 1e-15]
    if np.isinf(order):
        return float(1 / shares.max())
    if order == 1:
        return float(np.exp(-(shares * np.log(shares)).sum()))
    return float((shares**order).sum() ** (1 / (1 - order)))
