"""What a metric is given and what it gives back: features of one group of drawings in, figures with intervals out."""

from dataclasses import dataclass

import numpy as np

from sfumato.statistics.intervals import Interval


@dataclass(frozen=True, eq=False)
class Evidence:
    """Features of drawings and of the real pictures of the same prompts, in the same order, and what they face.

    With features "scorer" the table holds all names and a target is the row of a drawing's own name.
    With features "look" it holds all training pictures and a target is the row of the picture it leaned on.
    """

    drawn: np.ndarray  # (N, D)
    real: np.ndarray  # (N, D)
    table: np.ndarray  # (M, D)
    targets: np.ndarray  # (N) rows of the table
    threshold: float = 0.0


@dataclass(frozen=True)
class Figure:
    """One measured number of one group, beside what real pictures and mere chance would get."""

    measured: Interval
    ceiling: Interval | None = None
    floor: Interval | None = None
