"""Pictures without a caption."""

from collections.abc import Iterator

from pydantic import BaseModel, ConfigDict

from sfumato.data.scan import ItemRow, Proposal

TITLE = "no caption"
SAYS = "Nothing says what the picture shows, so no model can learn its words."
KIND = "rows"


class Options(BaseModel):
    """Nothing can be set."""

    model_config = ConfigDict(frozen=True, extra="forbid")


def judge(rows: list[ItemRow], options: Options) -> Iterator[Proposal]:
    """Propose what has no caption: 1, or 0.6 where tags at least say something."""
    for row in rows:
        if not row.name.strip():
            said = f" Its tags are {', '.join(row.tags[:5])}." if row.tags else ""
            yield Proposal(row.id, 0.6 if row.tags else 1.0, f"It has no caption.{said}")
