"""Pictures in which the blocks of a strong JPEG compression show."""

from collections.abc import Iterator

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from sfumato.data.scan import Proposal, Table

TITLE = "blocking"
SAYS = "Edges lie where the blocks of a JPEG meet: it was compressed too much."
KIND = "pixels"


class Options(BaseModel):
    """How visible blocks may be."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    above: float = Field(0.12, ge=0, le=1, description="how much steeper steps between blocks are than others")
    least_side: int = Field(150, ge=32, description="pixels of the shorter side; edges of icons lie on grids by design")


def judge(table: Table, options: Options) -> Iterator[Proposal]:
    """Propose what has more visible blocks than asked for; what lets light through was never a JPEG and is passed over.

    Drawings such as emoji lie on grids by design, at any size.
    """
    large = (np.minimum(table.width, table.height) >= options.least_side) & ~table.has_alpha
    for place in np.flatnonzero(large & (table.blocking > options.above)):
        blocking = float(table.blocking[place])
        yield Proposal(
            table.ids[place], min(1.0, blocking / max(options.above, 1e-6) / 4 + 0.25),
            f"Steps between its blocks stand out by {blocking:.2f} (0 is not at all); above {options.above:g} shows.",
            details={"blocking": round(blocking, 4)},
        )  # fmt: skip
