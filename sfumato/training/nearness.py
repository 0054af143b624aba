"""Whether a model draws its training pictures: how near drawn pictures are to them, beside held-out real ones."""

from dataclasses import dataclass
from typing import Any

import numpy as np

SIDE = 16  # pixels of the small copies that are compared
NEAREST = 50
MOST = 128  # held-out pictures that are looked at
NEARER = 0.9


@dataclass(frozen=True)
class Nearness:
    """How near pictures are to their nearest training picture, as a share of the usual distance around it."""

    drawn: float  # median of the drawn pictures
    held_out: float  # median of held-out real pictures

    @property
    def ratio(self) -> float:
        """Below 1 drawn pictures are nearer to training pictures than held-out ones are; near 0 they are copies."""
        return self.drawn / self.held_out if self.held_out else 1.0

    @property
    def said(self) -> str:
        """A warning in words; nothing where there is none to give."""
        if self.ratio >= NEARER:
            return ""
        return (
            f"Drawn pictures are nearer to training pictures than held-out ones are ({self.ratio:.0%} of the distance)"
            ": the model begins to draw from memory."
        )


def measure(material: Any, drawn: np.ndarray) -> Nearness | None:
    """The nearness of a recipe's preview (N, S, S, 4) uint8; None where too little is held out to tell.

    Of the preview, only the first half counts, which is of held-out captions. For each picture x the measure is
    its distance to the nearest training picture over the mean of those to the nearest fifty (Carlini et al. 2023,
    arXiv 2301.13188, section 5.1), which does not take a blur, near to everything, for a copy.
    """
    unseen = min(len(material.held_out), len(drawn) // 2)
    if unseen < 2 or len(material.train) < 3:
        return None
    known = small(material.pictures[material.train])
    real = small(material.pictures[material.held_out[:MOST]])
    return Nearness(*(float(np.median(relative(some, known))) for some in (small(drawn[:unseen]), real)))


def small(pictures: np.ndarray, to: int = SIDE) -> np.ndarray:
    """Pictures (N, S, S, 4) uint8 averaged over squares to rows (N, D) float32 in [0, 1]."""
    count, side = pictures.shape[:2]
    times = max(side // to, 1)
    cut = pictures[:, : side // times * times, : side // times * times].astype(np.float32)
    cells = cut.reshape(count, side // times, times, side // times, times, 4).mean((2, 4))
    return cells.reshape(count, -1) / 255


def relative(pictures: np.ndarray, known: np.ndarray) -> np.ndarray:
    """For each of the pictures (N, D) its distance to the nearest known one over the mean to the nearest fifty, (N)."""
    squares = (pictures**2).sum(1)[:, None] + (known**2).sum(1) - 2 * pictures @ known.T
    distances = np.sqrt(np.sort(squares.clip(0), axis=1)[:, :NEAREST])
    shares: np.ndarray = distances[:, 0] / distances.mean(1).clip(1e-6)
    return shares


def kernel_distance(some: np.ndarray, others: np.ndarray) -> float:
    """How far two sets of pictures (N, S, S, 4) uint8 are apart, by their colours at 8x8 pixels; 0 is alike.

    It sees colour and place, no fine shapes.
    """
    return discrepancy(*(small(pictures, 8) * 2 - 1 for pictures in (some, others)))


def discrepancy(some: np.ndarray, others: np.ndarray) -> float:
    """The kernel distance of two sets of features (N, D), times 1000: 0 is alike, and chance may put it a little below.

    The unbiased squared maximum mean discrepancy with the kernel (x y / D + 1)^3 (Binkowski et al. 2018, arXiv
    1801.01401, section 4).
    """
    x, y = some.astype(np.float64), others.astype(np.float64)

    def kernel(a: np.ndarray, b: np.ndarray) -> np.ndarray:
        values: np.ndarray = (a @ b.T / a.shape[1] + 1) ** 3
        return values

    def within(a: np.ndarray) -> float:
        own = kernel(a, a)
        return float((own.sum() - np.trace(own)) / (len(a) * (len(a) - 1)))

    return 1000 * (within(x) + within(y) - 2 * float(kernel(x, y).mean()))
