"""A coreset: the n pictures that cover the others best, by the greedy k-center rule (Gonzalez 1985)."""

from collections.abc import Generator
from dataclasses import dataclass
from typing import Any

import numpy as np

from sfumato.data.choosing import find_picked, read_candidates, write_picked
from sfumato.data.features_of import unit, watch_features
from sfumato.data.narrowing import Where
from sfumato.data.records import LEFT_OUT
from sfumato.errors import InvalidInput
from sfumato.jobs import JobContext, Progress

MANY = 20_000  # pictures above which features are brought to fewer numbers first
DIM = 128  # of these numbers
TROUBLED = 0.5  # how much the distance of a picture counts of which something is found


@dataclass(frozen=True)
class Cover:
    """Which rows were picked in which order, how far each was, and for each row the nearest picked one."""

    picked: np.ndarray
    gaps: np.ndarray
    nearest: np.ndarray
    distance: np.ndarray


def pick(ctx: JobContext, spec: dict[str, Any]) -> Generator[Progress, None, dict[str, Any]]:
    """Look at the pictures, pick the most different ones, and write one decision; done again, it writes none."""
    done = find_picked(ctx.workspace, dataset_id=spec["dataset_id"], job_id=ctx.job_id)
    if done is None:
        found = read_candidates(ctx.workspace, name=spec["dataset"], where=Where(**spec["where"]))
        features = unit((yield from watch_features(ctx.workspace, [sha256 for _, sha256, *_ in found])))
        seen = features.any(axis=1)
        if seen.sum() < spec["n"]:
            raise InvalidInput(f"Only {int(seen.sum()):,} pictures can be looked at.", hint="Pick fewer than that.")
        rows = np.flatnonzero(seen)
        troubled = np.array([one[4] for one in found])[rows]
        cover = yield from k_center(features[rows], spec["n"], troubled)
        names = [found[row][2] for row in rows]
        edits: dict[str, dict[str, Any]] = {}
        reasons: dict[str, str] = {}
        for place, row in enumerate(cover.picked):
            one = found[rows[row]][0]
            edits[one] = {}
            why = f"{cover.gaps[place]:.2f} from the nearest picked before it" if place else "nearest to the middle"
            reasons[one] = f"picked as number {place + 1:,}, {why}"
        for row in np.setdiff1d(np.arange(len(rows)), cover.picked):
            one, like = found[rows[row]][0], names[cover.nearest[row]]
            edits[one] = {"state": LEFT_OUT}
            reasons[one] = f"like '{like}', which is picked ({cover.distance[row]:.2f} from it)"
        expected = {one[0]: one[3] for one in found if one[0] in edits}
        ctx.check()
        done = write_picked(
            ctx.workspace, name=spec["dataset"], edits=edits, reasons=reasons, expected=expected, spec=spec,
            job_id=ctx.job_id,
        )  # fmt: skip
    yield Progress(spec["n"], spec["n"], "pictures", "done")
    return {"dataset": spec["dataset"], "decision": done.id, "n": spec["n"], "say": f"{done.name}."}


def k_center(features: np.ndarray, n: int, troubled: np.ndarray) -> Generator[Progress, None, Cover]:
    """Pick n of the rows (N, D) of length one, each the farthest from those before; yields how far it is.

    The first is nearest to the mean. Distance is 1 less the cosine; that of a troubled row counts half.
    """
    if len(features) > MANY and features.shape[1] > DIM:
        mixing = np.random.default_rng(0).standard_normal((features.shape[1], DIM), np.float32)
        features = unit(features @ mixing)
    counts = np.where(troubled, TROUBLED, 1.0).astype(np.float32)
    picked, gaps = np.zeros(n, np.int64), np.zeros(n, np.float32)
    picked[0] = int(np.argmax((features @ features.mean(axis=0)) * counts))
    nearest = np.zeros(len(features), np.int64)
    distance = np.full(len(features), np.inf, np.float32)
    for place in range(n):
        if place:
            picked[place] = int(np.argmax(distance * counts))
            gaps[place] = distance[picked[place]]
        away = np.maximum(1 - features @ features[picked[place]], 0)
        closer = away < distance
        distance[closer], nearest[closer] = away[closer], picked[place]
        distance[picked[place]] = -1.0  # never again
        if place % 50 == 0:
            yield Progress(place, n, "pictures", "picking")
    return Cover(picked, gaps, nearest, np.maximum(distance, 0))
