"""Slices: ways of narrowing a dataset that were saved by name, for people to come back to and for evaluation."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from sfumato.actions import Act, action, query
from sfumato.data.collect import find_dataset
from sfumato.data.explore import kept_places
from sfumato.data.narrowing import Where
from sfumato.data.records import Dataset, Slice
from sfumato.db import new_id
from sfumato.errors import Conflict, InvalidInput, unknown


@dataclass(frozen=True)
class SliceView:
    """A saved slice and how many pictures it means now."""

    id: str
    name: str
    where: Where
    n: int
    made_by: str
    made_at: datetime


@action("data.save_slice", needs="dataset.write")
def save_slice(act: Act, *, name: str, slice_name: str, where: Where, replace: bool = False) -> SliceView:
    """Save a way of narrowing the dataset `name`; one of the same name is replaced only if that is asked for."""
    called = " ".join(slice_name.split())
    if not called or len(called) > 100:
        raise InvalidInput("A slice needs a name of at most 100 letters.", hint="Say what its pictures have in common.")
    if where == Where():
        raise InvalidInput("A slice of everything would be the dataset itself.", hint="Narrow it first.")
    dataset = find_dataset(act.session, name)
    row = _find(act.session, dataset, called)
    if row is not None and not replace:
        raise Conflict(f"There is a slice '{called}' already.", hint="Choose another name, or replace it.")
    if row is None:
        row = Slice(id=new_id(), made_by=act.actor.id, dataset_id=dataset.id, name=called, where={})
        act.session.add(row)
    row.where = where.model_dump(mode="json", exclude_defaults=True)
    act.session.flush()
    act.says(f"saved the slice {called} of {name}", subject=dataset.ref, slice=called)
    return _view(act, name, row)


@query("data.slices")
def list_slices(act: Act, *, name: str) -> list[SliceView]:
    """The saved slices of a dataset by name, each with how many pictures it means now."""
    dataset = find_dataset(act.session, name)
    rows = act.session.scalars(select(Slice).where(Slice.dataset_id == dataset.id).order_by(Slice.name))
    return [_view(act, name, row) for row in rows]


@action("data.drop_slice", needs="dataset.write", doors=("api", "cli"))
def drop_slice(act: Act, *, name: str, slice_name: str) -> SliceView:
    """Forget a saved slice; its pictures stay as they are."""
    dataset = find_dataset(act.session, name)
    row = _row(act.session, dataset, slice_name)
    seen = _view(act, name, row)
    act.session.delete(row)
    act.says(f"dropped the slice {row.name} of {name}", subject=dataset.ref, slice=row.name)
    return seen


def where_of(session: Session, dataset: Dataset, slice_name: str) -> Where:
    """What a saved slice is narrowed to; raises NotFound with the nearest name."""
    return Where.model_validate(_row(session, dataset, slice_name).where)


def _find(session: Session, dataset: Dataset, name: str) -> Slice | None:
    return session.scalar(select(Slice).where(Slice.dataset_id == dataset.id, Slice.name == name))


def _row(session: Session, dataset: Dataset, name: str) -> Slice:
    row = _find(session, dataset, name)
    if row is None:
        raise unknown("slice", name, session.scalars(select(Slice.name).where(Slice.dataset_id == dataset.id)))
    return row


def _view(act: Act, dataset: str, row: Slice) -> SliceView:
    where = Where.model_validate(row.where)
    _, places = kept_places(act, dataset, where)
    return SliceView(row.id, row.name, where, len(places), row.made_by, row.made_at)
