"""Pictures far smaller or larger than the others, or too small for anything."""

from collections.abc import Iterator

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from sfumato.data.scan import Proposal, Table

TITLE = "odd size"
SAYS = "It is far smaller or larger than the other pictures, or very small."
KIND = "pixels"


class Options(BaseModel):
    """What is odd."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    least_side: int = Field(16, ge=1, description="pixels of the shorter side that every picture should have")
    spreads: float = Field(3.0, gt=0, description="how many spreads of the middle half a size may lie outside of it")


def judge(table: Table, options: Options) -> Iterator[Proposal]:
    """Propose what is too small by itself, or lies far outside of the middle half of all sizes."""
    if not len(table):
        return
    doublings = np.log2(np.maximum(table.width * table.height, 1).astype(float))
    low, middle, high = np.quantile(doublings, [0.25, 0.5, 0.75])
    spread = max(float(high - low), 1.0)  # sizes within a factor of two are never odd
    away = np.maximum(low - doublings, doublings - high) / spread
    tiny = np.minimum(table.width, table.height) < options.least_side
    for place in np.flatnonzero(tiny | (away > options.spreads)):
        size = f"{table.width[place]} × {table.height[place]} pixels"
        times = 2 ** (float(doublings[place] - middle) / 2)
        beside = f"{1 / times:.1f} times smaller" if times < 1 else f"{times:.1f} times larger"
        why = f"less than {options.least_side} on a side" if tiny[place] else f"{beside} a side than is usual here"
        yield Proposal(
            table.ids[place], 0.9 if tiny[place] else float(1 - options.spreads / away[place] / 2),
            f"It is {size}, {why}.", details={"times": round(times, 4)},
        )  # fmt: skip
