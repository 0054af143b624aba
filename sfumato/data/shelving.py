"""Datasets on the shelf: giving one another name, and putting one away; nothing of it is deleted."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from sfumato.actions import Act, action, query
from sfumato.data.collect import NAME, find_dataset, known_as
from sfumato.data.records import Dataset
from sfumato.db import now
from sfumato.errors import Conflict, InvalidInput


@dataclass(frozen=True)
class Shelved:
    """A dataset's name, those that it had before, and since when it is put away."""

    id: str
    name: str
    former: list[str]
    archived_at: datetime | None


@query("data.shelved", doors=())
def show_shelved(act: Act, *, name: str) -> Shelved:
    """What a dataset is called by now, and whether it is put away."""
    return _view(find_dataset(act.session, name))


@action("data.rename", needs="dataset.write")
def rename_dataset(act: Act, *, name: str, to: str) -> Shelved:
    """Give a dataset another name. Its old names go on leading to it, and no other dataset can take them."""
    wanted = to.strip()
    if not NAME.fullmatch(wanted):
        raise InvalidInput(f"'{wanted}' cannot be a dataset's name.", hint="Use letters, digits, dots and dashes.")
    row = find_dataset(act.session, name)
    before = row.name
    if wanted == before:
        return _view(row)
    _refuse_taken(act.session, row, wanted)
    try:
        with act.session.begin_nested():
            row.name, row.former = wanted, [one for one in row.names if one != wanted]
    except IntegrityError as problem:
        raise Conflict("Another project has one of this name.", hint="Take another name.") from problem
    act.says(f"renamed the dataset {before} to {wanted}", subject=row.ref)
    return _view(row)


@action("data.archive", needs="dataset.write", doors=("api", "cli"))
def archive_dataset(act: Act, *, name: str) -> Shelved:
    """Put a dataset away: lists leave it out and nothing is collected into it; all that it holds stays."""
    row = find_dataset(act.session, name)
    if row.archived_at is None:
        row.archived_at = now()
        act.says(f"put the dataset {row.name} away", subject=row.ref)
    return _view(row)


@action("data.unarchive", needs="dataset.write", doors=("api", "cli"))
def unarchive_dataset(act: Act, *, name: str) -> Shelved:
    """Take a dataset out again that was put away."""
    row = find_dataset(act.session, name)
    if row.archived_at is not None:
        row.archived_at = None
        act.says(f"took the dataset {row.name} out again", subject=row.ref)
    return _view(row)


def _refuse_taken(session: Session, row: Dataset, wanted: str) -> None:
    """Refuse a name that another dataset has, or had: what was written down with it leads there."""
    other = known_as(session, wanted)
    if other is None or other.id == row.id:
        return
    if other.name != wanted:
        raise Conflict(
            f"'{other.name}' was called '{wanted}' before, and runs and versions may name it so.",
            hint="Take another name.",
        )
    away = ", which is put away" if other.archived_at else ""
    raise Conflict(f"There is a dataset '{wanted}' already{away}.", hint="Take another name, or rename that one first.")


def _view(row: Dataset) -> Shelved:
    return Shelved(row.id, row.name, list(row.former), row.archived_at)
