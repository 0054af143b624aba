"""Pictures under a licence that nobody stated, or that is not known here."""

from collections.abc import Iterator

from pydantic import BaseModel, ConfigDict

from sfumato.data.scan import ItemRow, Proposal
from sfumato.trust.licences import class_of

TITLE = "unknown licence"
SAYS = "No licence is stated, or one that is not known here, so nobody can say what may be done with the picture."
KIND = "rows"
UNSTATED = ("", "noassertion", "none", "unknown")


class Options(BaseModel):
    """Nothing can be set."""

    model_config = ConfigDict(frozen=True, extra="forbid")


def judge(rows: list[ItemRow], options: Options) -> Iterator[Proposal]:
    """Propose what has no licence (1) or an unknown one (0.8)."""
    for row in rows:
        if row.licence.strip().lower() in UNSTATED:
            yield Proposal(row.id, 1.0, f"{row.source or 'Its source'} states no licence for it.")
        elif class_of(row.licence) == "unknown":
            told = {"licence": row.licence}
            yield Proposal(row.id, 0.8, f"'{row.licence}' is no licence that is known here.", details=told)
