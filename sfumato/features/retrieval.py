"""Which training picture a drawing may lean on: the one rule, for training and for drawing alike."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

NEIGHBOURS = 4


@dataclass(frozen=True)
class Shelf:
    """Training pictures that may be looked up, by concept, and which concepts are near each other."""

    by_concept: dict[str, list[tuple[int, str]]]  # concept -> (row, style) of every picture that may be used
    near: dict[str, list[str]]

    @classmethod
    def build(cls, rows: Sequence[tuple[str, str, bool]], names: Sequence[str], embeddings: np.ndarray) -> "Shelf":
        """Arrange `rows` (concept, style, usable); `names` are the concepts of `embeddings` (N, D), unit length."""
        by_concept: dict[str, list[tuple[int, str]]] = {}
        for row, (concept, style, usable) in enumerate(rows):
            if usable:
                by_concept.setdefault(concept, []).append((row, style))
        closeness = embeddings @ embeddings.T  # (N, N)
        np.fill_diagonal(closeness, -2)
        closeness[:, [name not in by_concept for name in names]] = -2
        order = np.argsort(-closeness, axis=1, kind="stable")[:, :NEIGHBOURS]
        near = {
            name: [names[column] for column in order[row] if closeness[row, column] > -2]  # never itself
            for row, name in enumerate(names)
        }
        return cls(by_concept, near)

    def other_style(self, concept: str, style: str, pick: float) -> int:
        """A picture of the concept in another style, chosen by `pick` in [0, 1); -1 if there is none."""
        found = [row for row, own in self.by_concept.get(concept, []) if own != style]
        return found[int(pick * len(found))] if found else -1

    def neighbour(self, concept: str, pick: float, pick_style: float) -> int:
        """A picture of a concept of a near name; -1 if there is none."""
        names = [name for name in self.near.get(concept, []) if name in self.by_concept]
        if not names:
            return -1
        found = self.by_concept[names[int(pick * len(names))]]
        return found[int(pick_style * len(found))][0]

    def best(self, concept: str, style: str, pick: float) -> int:
        """What a drawing of this concept in this style leans on: another style's picture, else a neighbour's."""
        row = self.other_style(concept, style, pick)
        return row if row >= 0 else self.neighbour(concept, 0.0, pick)
