"""Collecting: asking for it, and taking what a source hands over, bytes first and rows second."""

import hashlib
import json
import re
from collections import Counter
from dataclasses import dataclass, field
from pathlib import PurePath
from typing import Any

from pydantic import BaseModel, ValidationError
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from sfumato.actions import Act, Workspace, action, query
from sfumato.catalog import Catalog
from sfumato.data.captions import may_flip
from sfumato.data.found import Found, Left
from sfumato.data.pictures import Draw, Unusable, check_name, open_picture
from sfumato.data.records import KEPT, LEFT_OUT, Dataset, DatasetVersion, Item, Quarantined
from sfumato.db import find_or_add, new_id
from sfumato.errors import Conflict, InvalidInput, unknown
from sfumato.jobs import JobView, enqueue
from sfumato.jobs.records import Job

SOURCES = Catalog("sfumato.data.sources", ("Options", "read"))
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,80}")


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


@dataclass(frozen=True)
class Taken:
    """A picture that was looked at and may be written down."""

    row: dict[str, Any]
    data: bytes = field(repr=False)


def read_options(model: type[BaseModel], given: dict[str, Any]) -> Any:
    """Check options strictly; raises InvalidInput that names the key and what it may be."""
    try:
        return model.model_validate(given)
    except ValidationError as problem:
        first = problem.errors()[0]
        key = ".".join(str(part) for part in first["loc"])
        if first["type"] == "extra_forbidden":
            raise unknown("option", key, model.model_fields) from problem
        why = first["msg"].removeprefix("Value error, ")
        raise InvalidInput(f"The option '{key}' cannot be {first['input']!r}: {why}.") from problem


@action("data.collect", needs="dataset.write")
def collect(act: Act, *, source: str, into: str, options: dict[str, Any] | None = None) -> JobView:
    """Ask for pictures from a source to be taken into a dataset, which is made if need be."""
    if not NAME.fullmatch(into):
        raise InvalidInput(f"'{into}' cannot be a dataset's name.", hint="Use letters, digits, dots and dashes.")
    plan = read_options(SOURCES.get(source).Options, options or {})
    spec = {"source": source, "into": into, "options": plan.model_dump(mode="json")}
    _refuse_namesake(act.session, spec)
    key = "data.collect:" + hashlib.sha256(json.dumps(spec, sort_keys=True).encode()).hexdigest()
    act.says(f"asked to collect {source} into {into}", subject=f"dataset/{into}")
    return enqueue(act, kind="data.collect", spec=spec, key=key)


def _refuse_namesake(session: Session, spec: dict[str, Any]) -> None:
    """Refuse a folder that has the name of another one in the dataset: its files would replace the other's."""
    path, label = spec["options"].get("path"), spec["options"].get("label")
    if not path or label:
        return
    asked = session.scalars(select(Job.spec).where(Job.kind == "data.collect", Job.status != "cancelled"))
    before = [one["options"] for one in asked if (one["source"], one["into"]) == (spec["source"], spec["into"])]
    name = PurePath(path).name
    for other in before:
        if other["path"] != path and (other.get("label") or PurePath(other["path"]).name) == name:
            raise Conflict(
                f"'{spec['into']}' holds pictures of another folder called '{name}': {other['path']}.",
                hint=f"Give this one a label of its own, or the label '{name}' if it is the same folder, moved.",
            )


@query("data.list")
def list_datasets(act: Act, *, after: str | None = None, limit: int = 1_000) -> list[DatasetView]:
    """Datasets in numbers, by name; `after` is the name of the last one seen."""
    found = select(Dataset).order_by(Dataset.name).limit(limit)
    if after:
        found = found.where(Dataset.name > after)
    return [_view(act.session, row) for row in act.session.scalars(found)]


@query("data.show")
def show_dataset(act: Act, *, name: str) -> DatasetView:
    """One dataset in numbers and in words; raises NotFound with the nearest name."""
    return _view(act.session, find_dataset(act.session, name))


def find_dataset(session: Session, name: str) -> Dataset:
    """The dataset of that name; raises NotFound with the nearest name."""
    row = session.scalar(select(Dataset).where(Dataset.name == name))
    if row is None:
        raise unknown("dataset", name, session.scalars(select(Dataset.name)))
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
    concepts = session.scalar(select(func.count(Item.concept.distinct())).where(*kept)) or 0
    left_out = session.scalar(select(func.count()).where(Item.dataset_id == dataset.id, Item.state == LEFT_OUT)) or 0
    versions = session.scalars(
        select(DatasetVersion.name).where(DatasetVersion.dataset_id == dataset.id).order_by(DatasetVersion.id)
    )
    return DatasetView(
        dataset.id, dataset.name, n, concepts, styles, licences, counted(Quarantined.reason, Quarantined),
        list(versions), describe_use(n, named, concepts, licences), left_out,
    )  # fmt: skip


def look_at(found: Found, max_pixels: int, *, draw: Draw | None = None) -> Taken | Left:
    """Check and measure one picture outside of any transaction; `draw` draws it if it is an SVG."""
    try:
        check_name(found.key, found.data)
        picture = open_picture(found.data, max_pixels, draw=draw)
    except Unusable as problem:
        return Left(found.key, problem.reason, problem.detail, found.source)
    has_alpha = picture.getchannel("A").tobytes().strip(b"\xff") != b""
    flip_ok = may_flip(found.name, *found.tags) if found.flip_ok is None else found.flip_ok
    row = {
        "key": found.key, "name": found.name, "tags": found.tags, "style": found.style, "category": found.category,
        "concept": found.concept or found.name.lower(), "licence": found.licence or "NOASSERTION",
        "author": found.author, "source": found.source, "source_version": found.source_version, "url": found.url,
        "width": picture.width, "height": picture.height, "has_alpha": has_alpha, "flip_ok": flip_ok,
        "sha256": hashlib.sha256(found.data).hexdigest(),
    }  # fmt: skip
    for column in Item.__table__.columns:
        longest, said = getattr(column.type, "length", None), row.get(column.name)
        if longest and isinstance(said, str) and len(said) > longest:
            detail = f"its {column.name} has {len(said):,} letters, {longest} are allowed"
            return Left(found.key, "metadata too long", detail, found.source)
    return Taken(row, found.data)


def write_down(session: Session, person: str, dataset_id: str, things: list[Taken | Left]) -> Counter[str]:
    """Write rows of what was taken and what was not; what is there already stays as it is.

    What was quarantined and can be taken by now leaves the quarantine; the other way round, the
    picture that was taken before stays, and the quarantine says that its source has become unusable.
    """
    counts: Counter[str] = Counter()
    items, quarantined = (_there(session, table, dataset_id, things) for table in (Item, Quarantined))
    for thing in things:
        if isinstance(thing, Left) and thing.unwanted:
            counts["unwanted"] += 1
            continue
        taken, values = isinstance(thing, Taken), _row(thing)
        place = values["source"], values["key"]
        known: dict[Any, Any] = items if taken else quarantined
        there = known.get(place)
        if there is None:
            table: Any = Item if taken else Quarantined
            known[place] = table(id=new_id(), made_by=person, dataset_id=dataset_id, **values)
            session.add(known[place])
            counts["new" if taken else "quarantined"] += 1
        else:
            counts["known"] += 1
            if any(getattr(there, name) != value for name, value in values.items()):
                for name, value in values.items():
                    setattr(there, name, value)
                counts["changed"] += 1
        if taken and place in quarantined:
            session.flush()
            session.delete(quarantined.pop(place))
    return counts


def _row(thing: Taken | Left) -> dict[str, Any]:
    """What is written of it; what was left may have names of any length."""
    if isinstance(thing, Taken):
        return thing.row
    key = thing.key
    if len(key) > 400:
        key = f"{key[:360]} … {hashlib.sha256(key.encode()).hexdigest()[:16]}"
    return {
        "key": key, "source": thing.source[:200], "reason": thing.reason[:60], "detail": thing.detail,
    }  # fmt: skip


def _there(session: Session, table: Any, dataset_id: str, things: list[Taken | Left]) -> dict[tuple[str, str], Any]:
    """The rows that a table has of these places in their sources."""
    keys = [_row(thing)["key"] for thing in things]
    rows = session.scalars(select(table).where(table.dataset_id == dataset_id, table.key.in_(keys)))
    return {(row.source, row.key): row for row in rows}


def make_dataset(workspace: Workspace, session: Session, name: str) -> str:
    """The id of the dataset of that name, made if need be."""
    fresh = Dataset(id=new_id(), made_by=workspace.actor.id, name=name)
    return find_or_add(session, select(Dataset).where(Dataset.name == name), fresh)[0].id
