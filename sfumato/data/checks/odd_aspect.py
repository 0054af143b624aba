"""Pictures much wider or higher than they are high or wide."""

from collections.abc import Iterator

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from sfumato.data.scan import Proposal, Table

TITLE = "odd aspect"
SAYS = "The longer side is many times the shorter one, so that fitting it into a square wastes most of it."
KIND = "pixels"


class Options(BaseModel):
    """From which proportion on a picture is odd."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    above: float = Field(2.5, gt=1, description="sides in proportion, the longer by the shorter one")


def judge(table: Table, options: Options) -> Iterator[Proposal]:
    """Propose what is longer than allowed; the score grows with the proportion."""
    sides = np.stack([table.width, table.height]).astype(float)
    proportion = sides.max(0) / np.maximum(sides.min(0), 1)
    for place in np.flatnonzero(proportion > options.above):
        width, height, ratio = int(table.width[place]), int(table.height[place]), float(proportion[place])
        yield Proposal(
            table.ids[place], 1 - options.above / ratio / 2,
            f"It is {width} × {height} pixels, {ratio:.2f} to 1; more than {options.above:g} to 1 is odd.",
            details={"aspect": round(ratio, 3)},
        )  # fmt: skip
