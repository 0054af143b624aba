"""Pictures that are there more than once, byte for byte or pixel for pixel."""

from collections.abc import Iterator

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from sfumato.data.findings import group_name
from sfumato.data.packed import alike
from sfumato.data.scan import Proposal, Table

TITLE = "exact copies"
SAYS = "The very same picture again: the same bytes, or other bytes that decode to the same pixels."
KIND = "pixels"


class Options(BaseModel):
    """What counts as the same."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    by_pixels: bool = Field(True, description="whether files that differ in what lies beside the pixels are the same")


def judge(table: Table, options: Options) -> Iterator[Proposal]:
    """Propose every group of the same pictures; its oldest one has the score 0 and is the one to keep."""
    content = table.sha256.values
    if options.by_pixels:
        content = np.where(table.readable[:, None], table.pixels.values, content)
    order, starts = alike(content)
    ends = np.append(starts[1:], len(order))
    copied = np.flatnonzero(ends - starts > 1)
    for run in copied[np.argsort(order[starts[copied]], kind="stable")]:
        group = order[starts[run] : ends[run]].tolist()
        first, name = group[0], group_name("exact_copies", table.ids[group[0]])
        yield Proposal(
            table.ids[first], 0.0, f"The first that came of {len(group)} exact copies.", name,
            details={"best": True, "n": len(group)},
        )  # fmt: skip
        for place in group[1:]:
            bytes_too = table.sha256[place] == table.sha256[first]
            size, other = int(table.file_bytes[place]), int(table.file_bytes[first])
            yield Proposal(
                table.ids[place], 1.0 if bytes_too else 0.99,
                f"The same {size:,} bytes as another picture." if bytes_too
                else f"The same pixels as another picture, in {size:,} bytes instead of {other:,}.",
                name, table.ids[first], {"bytes": bytes_too},
            )  # fmt: skip
