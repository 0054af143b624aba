"""Pictures without a sharp edge anywhere."""

from collections.abc import Iterator

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from sfumato.data.scan import Proposal, Table

TITLE = "blur"
SAYS = "Nothing in it is sharp: a further blur would hardly change it."
KIND = "pixels"


class Options(BaseModel):
    """How little sharpness is too little."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    below: float = Field(0.48, ge=0, le=1, description="sharpness, 0 to 1; photographs in focus have 0.6 and more")
    least_side: int = Field(64, ge=12, description="pixels of the shorter side from which on it can be told")


def judge(table: Table, options: Options) -> Iterator[Proposal]:
    """Propose what is less sharp than asked for; flat and very small pictures cannot be told and are passed over."""
    told = ~table.is_flat & (np.minimum(table.width, table.height) >= options.least_side)
    for place in np.flatnonzero(told & (table.sharpness < options.below)):
        sharpness = float(table.sharpness[place])
        yield Proposal(
            table.ids[place], 1 - sharpness / max(options.below, 1e-6) / 2,
            f"Its sharpness is {sharpness:.2f}, at a size at which resolution does not count; below "
            f"{options.below:g} is blurred.",
            details={"sharpness": round(sharpness, 4)},
        )  # fmt: skip
