"""Pictures that have nothing near them in the dataset."""

from collections.abc import Iterator

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from sfumato.data.features_of import FEATURES, unit
from sfumato.data.looking import look_at, nearest
from sfumato.data.scan import Pictures, Proposal

TITLE = "outliers"
SAYS = "To an image network the picture is much farther from its nearest neighbours than pictures here usually are."
KIND = "neural"
FEWEST = 12  # pictures, below which nothing is usual


class Options(BaseModel):
    """How far is too far."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    neighbours: int = Field(5, ge=1, le=100, description="over how many nearest the distance is averaged")
    above: float = Field(5, gt=0, description="distance from the median, in robust standard deviations")


def look(pictures: Pictures, options: Options) -> Iterator[Proposal | None]:
    """Propose what is farther than allowed; the score grows with the distance."""
    seen = yield from look_at(pictures, FEATURES)
    there = np.flatnonzero(seen.values.any(1))
    if len(there) < FEWEST:
        return
    apart = []
    for cosines, _ in nearest(unit(seen.values[there]), options.neighbours):
        apart.append(1 - cosines.mean(1))
        yield None
    distance = np.concatenate(apart)
    middle = float(np.median(distance))
    spread = max(1.4826 * float(np.median(np.abs(distance - middle))), 0.01)  # of a set that hardly varies, 1 %
    for row in np.flatnonzero(distance > middle + options.above * spread):
        times = (float(distance[row]) - middle) / spread
        yield Proposal(
            seen.ids[there[row]], 1 - options.above / times / 2,
            f"Its {options.neighbours} nearest are {distance[row]:.2f} away, where {middle:.2f} is usual here: "
            f"{times:.1f} robust standard deviations more.",
            details={"distance": round(float(distance[row]), 4), "usual": round(middle, 4)},
        )  # fmt: skip
