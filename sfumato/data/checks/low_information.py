"""Pictures with next to nothing in them."""

from collections.abc import Iterator

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from sfumato.data.scan import Proposal, Table

TITLE = "low information"
SAYS = "One colour, a plain shade, or nearly so."
KIND = "pixels"


class Options(BaseModel):
    """How little is too little."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    below: float = Field(0.3, ge=0, le=8, description="bits that a pixel of grey tells, 0 to 8")


def judge(table: Table, options: Options) -> Iterator[Proposal]:
    """Propose what tells fewer bits than asked for, and what is a plain shade."""
    readable = table.readable
    for place in np.flatnonzero(readable & (table.is_flat | (table.information < options.below))):
        bits, contrast = float(table.information[place]), float(table.contrast[place])
        what = "nothing but a plain shade" if table.is_flat[place] else f"fewer than {options.below:g} bits"
        yield Proposal(
            table.ids[place], 1 - min(bits, 8) / 16,
            f"It holds {what}: a pixel of its grey tells {bits:.2f} bits, and deviates by {contrast:.1%}.",
            details={"information": round(bits, 4)},
        )  # fmt: skip
