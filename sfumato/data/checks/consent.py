"""Pictures for which somebody refused or withdrew their consent."""

from collections.abc import Iterator

from pydantic import BaseModel, ConfigDict

from sfumato.data.scan import ItemRow, Proposal

TITLE = "consent refused or withdrawn"
SAYS = "Whoever is in it, or made it, did not agree or took it back. Faces are for another check."
KIND = "rows"


class Options(BaseModel):
    """Nothing can be set."""

    model_config = ConfigDict(frozen=True, extra="forbid")


def judge(rows: list[ItemRow], options: Options) -> Iterator[Proposal]:
    """Propose what was refused or withdrawn."""
    for row in rows:
        if row.consent in ("refused", "withdrawn"):
            yield Proposal(row.id, 1.0, f"The consent was {row.consent}.", details={"consent": row.consent})
