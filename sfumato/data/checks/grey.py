"""Pictures without colour among pictures in colour."""

from collections.abc import Iterator

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from sfumato.data.scan import Proposal, Table

TITLE = "grey"
SAYS = "It has no colour, while most of the others have."
KIND = "pixels"


class Options(BaseModel):
    """From where on a picture is taken to be grey."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    below: float = Field(0.008, ge=0, le=1, description="colourfulness; pictures in colour have 0.1 and more")


def judge(table: Table, options: Options) -> Iterator[Proposal]:
    """Propose what has no colour, unless half of the dataset has none: then that is how it is meant."""
    readable = table.readable
    grey = readable & ~table.is_flat & (table.colourfulness < options.below)
    if grey.sum() * 2 > len(table):
        return
    for place in np.flatnonzero(grey):
        colour = float(table.colourfulness[place])
        yield Proposal(
            table.ids[place], 0.5,
            f"Its colourfulness is {colour:.3f}, and {1 - grey.sum() / len(table):.0%} of the pictures are in colour.",
            details={"colourfulness": round(colour, 4)},
        )  # fmt: skip
