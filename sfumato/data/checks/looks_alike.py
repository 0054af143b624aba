"""Pictures that look alike to a network, also when they were cropped, turned or drawn over."""

from collections.abc import Iterator

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from sfumato.data.features_of import FEATURES, unit
from sfumato.data.findings import group_name
from sfumato.data.looking import look_at, nearest
from sfumato.data.scan import Pictures, Proposal
from sfumato.data.verifying import agreement

TITLE = "pictures that look alike"
SAYS = (
    "Two pictures are nearer to each other, to an image network, than strangers are, and their pixels agree once one "
    "is laid over the other, or they are nearer still."
)
KIND = "neural"
AGREE = 0.6  # correlation of pixels from which on a pair is shown


class Options(BaseModel):
    """From which likeness on two pictures are shown beside each other."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    above: float = Field(0.85, ge=0.5, le=1, description="cosine of features; raised where the neighbours are near too")
    partners: int = Field(12, ge=1, le=50, description="how many of the nearest are looked at for each picture")


def look(pictures: Pictures, options: Options) -> Iterator[Proposal | None]:
    """Propose each picture of a pair that was verified, beside its nearest; the score is their cosine."""
    seen = yield from look_at(pictures, FEATURES)
    close: list[tuple[int, int, float]] = []
    usual = np.full(len(seen.ids), -1.0)
    start = 0
    for cosines, places in nearest(unit(seen.values), options.partners):
        usual[start : start + len(cosines)] = cosines[:, -1] if cosines.shape[1] == options.partners else -1
        for row, column in zip(*np.nonzero(cosines >= options.above), strict=True):
            close.append((start + int(row), int(places[row, column]), float(cosines[row, column])))
        start += len(cosines)
        yield None
    pairs: dict[tuple[int, int], tuple[float, float]] = {}
    for one, other, cosine in close:
        pair, least = (min(one, other), max(one, other)), least_cosine(usual[one], usual[other], options.above)
        if pair in pairs or cosine < least or seen.sha256s[one] == seen.sha256s[other]:
            continue  # copies of a file have a check of their own
        agrees = agreement(pictures.workspace, seen.sha256s[one], seen.sha256s[other])
        if agrees >= AGREE or cosine >= (1 + least) / 2:
            pairs[pair] = min(cosine, 1.0), agrees
        yield None
    yield from _proposals(seen.ids, pairs)


def least_cosine(one: float, other: float, above: float) -> float:
    """From where on a pair counts: halfway to the same from what the last of the nearest of either is like."""
    return max(above, (1 + max(one, other)) / 2)


def _proposals(ids: list[str], pairs: dict[tuple[int, int], tuple[float, float]]) -> Iterator[Proposal]:
    first = {place: place for pair in pairs for place in pair}

    def root(place: int) -> int:
        while first[place] != place:
            place = first[place]
        return place

    best: dict[int, tuple[float, float, int]] = {}
    for (one, other), (cosine, agrees) in pairs.items():
        low, high = sorted((root(one), root(other)))
        first[high] = low
        for mine, theirs in ((one, other), (other, one)):
            best[mine] = max(best.get(mine, (-1.0, 0.0, 0)), (cosine, agrees, theirs))
    for place, (cosine, agrees, beside) in sorted(best.items()):
        yield Proposal(
            ids[place], cosine,
            f"To the network it is {cosine:.0%} like another one, far more than its other neighbours are. "
            f"Their pixels agree by {max(agrees, 0):.0%}.",
            group=group_name("looks_alike", ids[root(place)]), beside_id=ids[beside],
            details={"cosine": round(cosine, 4), "pixels": round(agrees, 4)},
        )  # fmt: skip
