"""One caption for many pictures of the same style."""

import hashlib
from collections import defaultdict
from collections.abc import Iterator

from pydantic import BaseModel, ConfigDict, Field

from sfumato.data.scan import ItemRow, Proposal

TITLE = "caption of many pictures"
SAYS = "Many pictures of one style and source share a caption, so that a model cannot learn what sets them apart."
KIND = "rows"


class Options(BaseModel):
    """How many may share a caption."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    more_than: int = Field(3, ge=1, description="different pictures of one style that may share a caption")


def judge(rows: list[ItemRow], options: Options) -> Iterator[Proposal]:
    """Propose each picture of a caption that too many share; drawings of one thing in many styles are none."""
    sharing: dict[tuple[str, str, str], list[ItemRow]] = defaultdict(list)
    for row in rows:
        caption = " ".join(row.name.lower().split())
        if caption:
            sharing[caption, row.style, row.source].append(row)
    for place, found in sharing.items():
        n = len({row.sha256 for row in found})
        if n <= options.more_than:
            continue
        group = hashlib.sha256("\0".join(place).encode()).hexdigest()[:32]
        for row in found:
            said = f"{n:,} different pictures of {place[2] or 'one source'} have the caption '{row.name.strip()[:80]}'."
            yield Proposal(row.id, 1 - options.more_than / n / 2, said, group=group, details={"pictures": n})
