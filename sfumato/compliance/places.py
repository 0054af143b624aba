"""What a reference stands for by name, so that a door can lead to its page."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from sfumato.actions import Act, query
from sfumato.checkpoints.models import find_weights
from sfumato.checkpoints.records import Model
from sfumato.data.records import Dataset
from sfumato.db.kinds import find_record


@dataclass(frozen=True)
class Place:
    """A record by its kind and id, the name that people know it by, and the name of what it lies in."""

    kind: str
    id: str
    name: str = ""
    within: str = ""


@query("record.place", doors=("api",))
def place_of(act: Act, *, ref: str) -> Place:
    """The record that a reference (kind/id, kind/name, an id or the end of one) means; raises NotFound."""
    kind, _, key = ref.partition("/")
    if kind == "checkpoint" and (weights := find_weights(act, key)) is not None:
        return Place(kind, key, weights.name)
    row: Any = find_record(act.session, ref)
    if row.KIND == "measurement":
        return place_of(act.workspace, ref=row.subject)
    if row.KIND == "checkpoint":
        name = act.session.scalar(select(Model.name).where(Model.checkpoint_id == row.id))
        return Place(row.KIND, row.id, name or "")
    within = ""
    if hasattr(row, "dataset_id"):
        within = act.session.scalar(select(Dataset.name).where(Dataset.id == row.dataset_id)) or ""
    name = row.model if row.KIND in ("alias", "criterion") else getattr(row, "name", "")
    return Place(row.KIND, row.id, str(name), within)
