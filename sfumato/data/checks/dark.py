"""Pictures in which even the light parts are dark."""

from collections.abc import Iterator

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from sfumato.data.scan import Proposal, Table

TITLE = "too dark"
SAYS = "Even the lightest twentieth of it is dark."
KIND = "pixels"


class Options(BaseModel):
    """How dark is too dark."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    below: float = Field(0.2, ge=0, le=1, description="the brightness that 95 % of the pixels stay under")


def judge(table: Table, options: Options) -> Iterator[Proposal]:
    """Propose what is darker than asked for."""
    for place in np.flatnonzero((table.lightest < options.below) & (table.file_bytes > 0)):
        if table.pixels[place]:
            lightest, mean = float(table.lightest[place]), float(table.brightness[place])
            yield Proposal(
                table.ids[place], 1 - lightest / options.below / 2,
                f"95 % of its pixels are darker than {lightest:.0%} of white, {mean:.0%} on average; below "
                f"{options.below:.0%} is dark.",
                details={"lightest": round(lightest, 4)},
            )  # fmt: skip
