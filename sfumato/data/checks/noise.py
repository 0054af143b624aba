"""Pictures with strong noise also where they are quiet."""

from collections.abc import Iterator

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from sfumato.data.scan import Proposal, Table

TITLE = "noise"
SAYS = "Even its quietest parts are grainy."
KIND = "pixels"


class Options(BaseModel):
    """How much noise is too much."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    above: float = Field(0.03, ge=0, le=1, description="deviation of noise, of white")


def judge(table: Table, options: Options) -> Iterator[Proposal]:
    """Propose what is noisier than asked for."""
    for place in np.flatnonzero(table.noise > options.above):
        noise = float(table.noise[place])
        yield Proposal(
            table.ids[place], min(1.0, noise / max(options.above, 1e-6) / 4 + 0.25),
            f"The noise in its quietest quarter deviates by {noise:.1%} of white; above {options.above:.1%} is strong.",
            details={"noise": round(noise, 4)},
        )  # fmt: skip
