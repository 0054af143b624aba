"""Pictures under a licence that asks something of, or forbids, what they are for."""

from collections.abc import Iterator
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from sfumato.data.scan import ItemRow, Proposal
from sfumato.trust.licences import ASKS, USES, class_of, verdict

TITLE = "licence that limits the use"
SAYS = "The licence forbids what the pictures are for, or asks something first. It is no legal advice."
KIND = "rows"


class Options(BaseModel):
    """What the pictures are for."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    use: Literal["train", "publish", "sell"] = Field(
        "sell", description="train: a model stays here; publish: the model is given away; sell: what it draws is sold"
    )
    only_forbidden: bool = Field(False, description="leave out licences that merely ask something first")


def judge(rows: list[ItemRow], options: Options) -> Iterator[Proposal]:
    """Propose what is forbidden (1) or asks something (0.5); an unknown licence has a check of its own."""
    for row in rows:
        kind, found = class_of(row.licence), verdict(row.licence, options.use)
        if kind == "unknown" or found == "allowed" or (options.only_forbidden and found == "asks"):
            continue
        says = "forbids" if found == "forbidden" else "asks something before one may"
        asked = f" It asks that {ASKS[kind]}." if kind in ASKS else ""
        yield Proposal(
            row.id, 1.0 if found == "forbidden" else 0.5,
            f"{row.licence} ({kind}) {says}{' to' if found == 'forbidden' else ''} {USES[options.use]}.{asked}",
            details={"licence": row.licence, "class": kind, "use": options.use, "verdict": found},
        )  # fmt: skip
