"""Near copies: how many drawings lie closer to a training picture than independent real pictures do.

The threshold is the training card's: one held-out real picture in a hundred would be called a copy. For a pair of
thing and style that was learnt from, the right answer is close to the original, so there the share says nothing bad.
"""

import numpy as np

from sfumato.evaluation.evidence import Evidence, Figure
from sfumato.features.look import nearest_distances
from sfumato.statistics.intervals import wilson

FEATURES, BETTER = "look", "lower"
FIGURES = ("near copies",)


def compute(evidence: Evidence) -> dict[str, Figure]:
    """The share of near copies with Wilson's interval; the ceiling is that of the real pictures themselves."""
    drawn, real = (copies(looks, evidence) for looks in (evidence.drawn, evidence.real))
    return {"near copies": Figure(wilson(drawn.mean(), len(drawn)), wilson(real.mean(), len(real)))}


def copies(looks: np.ndarray, evidence: Evidence) -> np.ndarray:
    """Which of the pictures (N, D) are near copies, (N) bool."""
    return nearest_distances(looks, evidence.table) < evidence.threshold
