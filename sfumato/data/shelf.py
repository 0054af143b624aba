"""Looking over a dataset: what was left out and why, which values can be chosen, and a few pictures for its cover."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, select

from sfumato.actions import Act, query
from sfumato.data.collect import find_dataset
from sfumato.data.records import KEPT, Dataset, DatasetVersion, Decision, Item, Quarantined, called

COVER = 4
CHOICES = 200  # values of one kind that can be chosen


@dataclass(frozen=True)
class LeftOut:
    """Something in a source that could not be taken, and why."""

    id: str
    key: str
    source: str
    reason: str
    detail: str
    made_at: datetime


@dataclass(frozen=True)
class Cover:
    """What a card of a dataset shows: a few of its pictures, and when it last changed."""

    items: list[tuple[str, str]]
    changed_at: datetime | None


@query("data.left_out", doors=("api",))
def list_left_out(act: Act, *, name: str, after: str | None = None, limit: int = 50, reason: str = "") -> list[LeftOut]:
    """What a dataset's sources had that could not be taken, oldest first; `after` is the id of the last one seen."""
    dataset = find_dataset(act.session, name)
    found = select(Quarantined).where(Quarantined.dataset_id == dataset.id).order_by(Quarantined.id).limit(limit)
    if after:
        found = found.where(Quarantined.id > after)
    if reason:
        found = found.where(Quarantined.reason == reason)
    return [
        LeftOut(row.id, row.key, row.source, row.reason, row.detail, row.made_at) for row in act.session.scalars(found)
    ]


@query("data.archived", doors=())
def count_archived(act: Act) -> int:
    """How many datasets are put away."""
    return act.session.scalar(select(func.count(Dataset.id)).where(Dataset.archived_at.is_not(None))) or 0


@query("data.cover", doors=("api",))
def show_cover(act: Act, *, name: str) -> Cover:
    """The newest pictures of a dataset, by id and name, and when it last changed."""
    dataset = find_dataset(act.session, name)

    def newest(table: Any, n: int) -> list[Any]:
        found = select(table).where(table.dataset_id == dataset.id).order_by(table.id.desc()).limit(n)
        if table is Item:
            found = found.where(Item.state == KEPT)
        return list(act.session.scalars(found))

    rows = newest(Item, COVER)
    last = [one for table in (DatasetVersion, Decision, Quarantined) for one in newest(table, 1)]
    moments = [row.made_at for row in (*rows[:1], *last)]
    return Cover([(row.id, called(row.name, row.key)) for row in rows], max(moments, default=dataset.made_at))


@query("data.choices", doors=("api",))
def list_choices(act: Act, *, name: str) -> dict[str, dict[str, int]]:
    """The styles, licences and categories of a dataset's pictures with their counts, the most common first."""
    dataset = find_dataset(act.session, name)
    found = {}
    for column in (Item.style, Item.licence, Item.category):
        n = func.count()
        rows = act.session.execute(
            select(column, n)
            .where(Item.dataset_id == dataset.id, Item.state == KEPT)
            .group_by(column)
            .order_by(n.desc())
            .limit(CHOICES)
        )
        found[column.key] = {str(value): int(count) for value, count in rows if value}
    return found


@dataclass(frozen=True)
class Named:
    """A frozen version as runs name it, with how many pictures it has to learn from."""

    id: str
    label: str
    n: int
    train: int


@query("data.frozen", doors=("api",))
def list_frozen(act: Act, *, after: str | None = None, limit: int = 100) -> list[Named]:
    """Frozen versions of all datasets but those put away, newest first; `after` is the id of the last one seen."""
    found = (
        select(DatasetVersion, Dataset.name)
        .join(Dataset, Dataset.id == DatasetVersion.dataset_id)
        .where(Dataset.archived_at.is_(None))
        .order_by(DatasetVersion.id.desc())
        .limit(limit)
    )
    if after:
        found = found.where(DatasetVersion.id < after)
    return [
        Named(row.id, f"{name}@{row.name}", row.n, int(row.summary.get("splits", {}).get("train", 0)))
        for row, name in act.session.execute(found)
    ]
