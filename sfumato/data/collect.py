"""Collecting: asking for it, and datasets in numbers."""

import hashlib
import json
import re
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path, PurePath
from typing import Annotated, Any

from pydantic import BaseModel, Field, ValidationError
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from sfumato.actions import Act, Workspace, action, query
from sfumato.catalog import Catalog
from sfumato.data.records import KEPT, LEFT_OUT, Dataset, DatasetVersion, Item, Quarantined
from sfumato.db import find_or_add, new_id
from sfumato.errors import Conflict, InvalidInput, unknown
from sfumato.jobs import JobView, enqueue
from sfumato.jobs.records import Job

SOURCES = Catalog("sfumato.data.sources", ("Options", "read"))
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,80}")


FILES = {  # the source that reads a file, by how its name ends
    ".zip": "zip", ".tar": "tar", ".tgz": "tar", ".gz": "tar", ".parquet": "parquet", ".csv": "table", ".tsv": "table",
    ".jsonl": "table",
}  # fmt: skip


@dataclass(frozen=True)
class DatasetView:
    """A dataset in numbers."""

    id: str
    name: str
    n: int
    concepts: int
    styles: dict[str, int]
    licences: dict[str, int]
    left_out: dict[str, int]
    versions: list[str]
    advice: str = ""
    left_out_by_decision: int = 0
    former: list[str] = field(default_factory=list)
    archived_at: datetime | None = None


def read_options(model: type[BaseModel], given: dict[str, Any]) -> Any:
    """Check options strictly; raises InvalidInput that names the key and what it may be."""
    try:
        return model.model_validate(given)
    except ValidationError as problem:
        first = problem.errors()[0]
        key = ".".join(str(part) for part in first["loc"])
        if first["type"] == "extra_forbidden":
            raise unknown("option", key, model.model_fields) from problem
        why = first["msg"].removeprefix("Value error, ").replace("Input should", "it should")
        raise InvalidInput(f"The option '{key}' cannot be {first['input']!r}: {why}.") from problem


@action("data.collect", needs="dataset.write")
def collect(
    act: Act, *, source: str, into: str, options: dict[str, Any] | None = None,
    part: Annotated[str, Field(max_length=20, description="which one of several, such as 2 of 5")] = "",
) -> JobView:  # fmt: skip
    """Ask for pictures from a source to be taken into a dataset, which is made if need be."""
    if not NAME.fullmatch(into):
        raise InvalidInput(f"'{into}' cannot be a dataset's name.", hint="Use letters, digits, dots and dashes.")
    _refuse_elsewhere(act.session, into)
    plan = read_options(SOURCES.get(source).Options, options or {})
    spec = {"source": source, "into": into, "options": plan.model_dump(mode="json")} | ({"part": part} if part else {})
    _refuse_namesake(act.session, spec)
    key = "data.collect:" + hashlib.sha256(json.dumps(spec, sort_keys=True).encode()).hexdigest()
    act.says(f"asked to collect {source} into {into}", subject=f"dataset/{into}")
    return enqueue(act, kind="data.collect", spec=spec, key=key)


def _refuse_elsewhere(session: Session, into: str) -> None:
    """Refuse to collect into what is put away, or is called otherwise by now."""
    row = known_as(session, into)
    if row is not None and row.name != into:
        raise Conflict(
            f"'{into}' is called '{row.name}' now.", hint=f"Collect into '{row.name}', or take a name of its own."
        )
    if row is not None and row.archived_at is not None:
        raise Conflict(
            f"'{into}' is put away since {row.archived_at:%Y-%m-%d}.",
            hint=f"`sfumato data unarchive {into}`, or its page, takes it out again.",
        )


def _refuse_namesake(session: Session, spec: dict[str, Any]) -> None:
    """Refuse a folder that has the name of another one in the dataset: its files would replace the other's."""
    path, label = spec["options"].get("path"), spec["options"].get("label")
    if not path or label:
        return
    asked = session.scalars(select(Job.spec).where(Job.kind == "data.collect", Job.status != "cancelled"))
    row = known_as(session, spec["into"])
    names = row.names if row is not None else [spec["into"]]
    before = [one["options"] for one in asked if one["source"] == spec["source"] and one["into"] in names]
    name = PurePath(path).name
    for other in before:
        if other["path"] != path and (other.get("label") or PurePath(other["path"]).name) == name:
            raise Conflict(
                f"'{spec['into']}' holds pictures of another folder called '{name}': {other['path']}.",
                hint=f"Give this one a label of its own, or the label '{name}' if it is the same folder, moved.",
            )


def source_at(place: Path) -> str:
    """The source that reads what lies at a place: a folder or a file, by how its name ends; "" where none does."""
    return "folder" if place.is_dir() else FILES.get(place.suffix.lower(), "") if place.exists() else ""


@query("data.list")
def list_datasets(
    act: Act, *, after: str | None = None, limit: int = 1_000, archived: bool = False
) -> list[DatasetView]:
    """Datasets in numbers, by name; `after` is the name of the last one seen.

    With `archived` those too that are put away.
    """
    found = select(Dataset).order_by(Dataset.name).limit(limit)
    if not archived:
        found = found.where(Dataset.archived_at.is_(None))
    if after:
        found = found.where(Dataset.name > after)
    return [_view(act.session, row) for row in act.session.scalars(found)]


@query("data.show")
def show_dataset(act: Act, *, name: str) -> DatasetView:
    """One dataset in numbers and in words; raises NotFound with the nearest name."""
    return _view(act.session, find_dataset(act.session, name))


def find_dataset(session: Session, name: str) -> Dataset:
    """The dataset that has that name, or had it; raises NotFound with the nearest name."""
    row = known_as(session, name)
    if row is None:
        raise unknown("dataset", name, session.scalars(select(Dataset.name)))
    return row


def known_as(session: Session, name: str) -> Dataset | None:
    """The dataset that has that name, or had it: what was written down before it was renamed still leads to it."""
    row = session.scalar(select(Dataset).where(Dataset.name == name))
    if row is None:
        renamed = session.execute(select(Dataset.id, Dataset.former))
        row = next((session.get(Dataset, one) for one, former in renamed if name in former), None)
    return row


def _view(session: Session, dataset: Dataset) -> DatasetView:
    from sfumato.data.advice import describe_use

    def counted(column: Any, table: type[Item] | type[Quarantined] = Item) -> dict[str, int]:
        found = select(column, func.count()).where(table.dataset_id == dataset.id).group_by(column).order_by(column)
        rows = session.execute(found.where(Item.state == KEPT) if table is Item else found)
        return {str(value): int(count) for value, count in rows}

    kept = (Item.dataset_id == dataset.id, Item.state == KEPT)
    styles, licences = counted(Item.style), counted(Item.licence)
    n = sum(licences.values())
    named = session.scalar(select(func.count()).where(*kept, Item.name != "")) or 0
    concepts = session.scalar(select(func.count(Item.concept.distinct())).where(*kept, Item.concept != "")) or 0
    left_out = session.scalar(select(func.count()).where(Item.dataset_id == dataset.id, Item.state == LEFT_OUT)) or 0
    versions = session.scalars(
        select(DatasetVersion.name).where(DatasetVersion.dataset_id == dataset.id).order_by(DatasetVersion.id)
    )
    return DatasetView(
        dataset.id, dataset.name, n, concepts, styles, licences, counted(Quarantined.reason, Quarantined),
        list(versions), describe_use(n, named, concepts, licences), left_out, list(dataset.former), dataset.archived_at,
    )  # fmt: skip


def make_dataset(workspace: Workspace, session: Session, name: str) -> str:
    """The id of the dataset that has that name, or had it; made if need be."""
    there = known_as(session, name)
    if there is not None:
        return there.id
    fresh = Dataset(id=new_id(), made_by=workspace.actor.id, name=name)
    return find_or_add(session, select(Dataset).where(Dataset.name == name), fresh)[0].id
