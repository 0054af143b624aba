"""Files that cannot be decoded any more, or break off."""

from collections.abc import Iterator

import numpy as np
from pydantic import BaseModel, ConfigDict

from sfumato.data.scan import Proposal, Table

TITLE = "corrupt"
SAYS = "Its file is missing, cannot be decoded, or breaks off before the last row of pixels."
KIND = "pixels"


class Options(BaseModel):
    """There is nothing to choose."""

    model_config = ConfigDict(frozen=True, extra="forbid")


def judge(table: Table, options: Options) -> Iterator[Proposal]:
    """Propose whatever had no pixels to measure."""
    for place in np.flatnonzero(~table.readable):
        size = int(table.file_bytes[place])
        what = f"Its {size:,} bytes cannot be decoded to the end" if size else "Its file is not in the store"
        yield Proposal(table.ids[place], 1.0, f"{what}.", details={"file_bytes": size})
