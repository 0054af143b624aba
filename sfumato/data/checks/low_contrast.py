"""Pictures that are neither dark nor light, and all of one tone."""

from collections.abc import Iterator

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from sfumato.data.scan import Proposal, Table

TITLE = "low contrast"
SAYS = "Its tones hardly differ, though it is neither dark nor light."
KIND = "pixels"


class Options(BaseModel):
    """How little contrast is too little."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    below: float = Field(0.03, ge=0, le=1, description="deviation of grey from its mean")


def judge(table: Table, options: Options) -> Iterator[Proposal]:
    """Propose what has less contrast than asked for; what is dark, light or empty is told by other checks."""
    told = (table.lightest >= 0.2) & (table.darkest <= 0.85) & (table.information >= 0.5)
    for place in np.flatnonzero(told & (table.contrast < options.below)):
        contrast = float(table.contrast[place])
        yield Proposal(
            table.ids[place], 1 - contrast / max(options.below, 1e-6) / 2,
            f"Its grey deviates by {contrast:.1%} from its mean; below {options.below:.1%} is low.",
            details={"contrast": round(contrast, 4)},
        )  # fmt: skip
