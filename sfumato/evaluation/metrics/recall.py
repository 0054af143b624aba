"""Recall: how often a drawing's own name is the first, or among the first five, of all names that fit it.

The ceiling is what real pictures of the same prompts reach. The floor is what the same drawings reach against each
other's prompts, averaged over all ways to swap them.
"""

import numpy as np

from sfumato.evaluation.evidence import Evidence, Figure
from sfumato.statistics.intervals import Interval, bootstrap_mean, wilson

FEATURES, BETTER = "scorer", "higher"
FIRST = (1, 5)
FIGURES = (*(f"recall@{first}" for first in FIRST), "mean reciprocal rank")


def compute(evidence: Evidence) -> dict[str, Figure]:
    """Recall@1 and @5 with Wilson's intervals, and the mean reciprocal rank with a bootstrapped one."""
    drawn, real = (ranks_of_all(seen, evidence.table) for seen in (evidence.drawn, evidence.real))  # (N, M)
    own = np.arange(len(drawn)), evidence.targets
    swapped = drawn[:, evidence.targets]  # (N, N): where each drawing puts every prompt of the group
    others = evidence.targets[:, None] != evidence.targets

    def shares(first: int) -> list[Interval]:
        floor = (swapped < first)[others].mean() if others.any() else 0.0
        return [wilson(share, len(drawn)) for share in ((drawn[own] < first).mean(), (real[own] < first).mean(), floor)]

    figures = {f"recall@{first}": Figure(*shares(first)) for first in FIRST}
    reciprocal = [bootstrap_mean(1 / (1 + ranks[own])) for ranks in (drawn, real)]
    return figures | {"mean reciprocal rank": Figure(*reciprocal)}


def ranks_of_all(seen: np.ndarray, table: np.ndarray) -> np.ndarray:
    """The place of every name (M, D) for every picture (N, D), (N, M); 0 fits best, equals share the worse."""
    fit = seen @ table.T
    ascending = np.sort(fit, axis=1)
    return np.stack([len(table) - np.searchsorted(row, own, "left") - 1
                     for row, own in zip(ascending, fit, strict=True)])  # fmt: skip
