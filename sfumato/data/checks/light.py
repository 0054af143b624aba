"""Pictures in which even the dark parts are light."""

from collections.abc import Iterator

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from sfumato.data.scan import Proposal, Table

TITLE = "too light"
SAYS = "Even the darkest twentieth of it is light, as if it was exposed too long."
KIND = "pixels"


class Options(BaseModel):
    """How light is too light."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    above: float = Field(0.85, ge=0, le=1, description="the brightness that 95 % of the pixels stay over")


def judge(table: Table, options: Options) -> Iterator[Proposal]:
    """Propose what is lighter than asked for."""
    for place in np.flatnonzero(table.darkest > options.above):
        darkest, mean = float(table.darkest[place]), float(table.brightness[place])
        yield Proposal(
            table.ids[place], min(1.0, 0.5 + (darkest - options.above) / max(1 - options.above, 1e-6) / 2),
            f"95 % of its pixels are lighter than {darkest:.0%} of white, {mean:.0%} on average; above "
            f"{options.above:.0%} is light.",
            details={"darkest": round(darkest, 4)},
        )  # fmt: skip
