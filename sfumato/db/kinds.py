"""Every kind of record that any room keeps, found by convention: a room's tables lie in its records.py."""

import importlib
import importlib.util
import pkgutil
from collections.abc import Iterator
from functools import cache

from sqlalchemy import select
from sqlalchemy.orm import Session

import sfumato
from sfumato.db.records import Record
from sfumato.errors import InvalidInput, NotFound

SHORTEST = 4  # characters of an id's end that may stand for it
NAMED = ("model", "run", "dataset")  # kinds that a name alone may mean, in this order


@cache
def kinds() -> dict[str, type[Record]]:
    """All kinds of records by name; a room that arrives later is found without any table being edited."""
    for room in pkgutil.iter_modules(sfumato.__path__):
        if room.ispkg and importlib.util.find_spec(f"sfumato.{room.name}.records"):
            importlib.import_module(f"sfumato.{room.name}.records")
    return {kind.KIND: kind for kind in _below(Record) if kind.KIND}


def _below(kind: type[Record]) -> Iterator[type[Record]]:
    for one in kind.__subclasses__():
        yield one
        yield from _below(one)


def get_record(session: Session, ref: str) -> Record | None:
    """The record that a link names (kind/id), or None when it is not in this workspace."""
    kind, _, key = ref.partition("/")
    table = kinds().get(kind)
    return session.get(table, key) if table else None


def find_record(session: Session, said: str) -> Record:
    """The one record that a person means by an id, the end of one, kind/id, or a name.

    Raises NotFound, or InvalidInput when several records fit.
    """
    wanted, _, key = said.rpartition("/")
    if wanted and wanted not in kinds():
        raise NotFound(f"There is no kind of record '{wanted}'.", hint=f"There is: {', '.join(sorted(kinds()))}.")
    searched = {wanted: kinds()[wanted]} if wanted else kinds()
    if not key.isprintable():  # a database may refuse to look for it
        searched = {}
    found = [row for table in searched.values() for row in _by_id(session, table, key)]
    if not found:
        found = [row for kind in NAMED if kind in searched for row in _by_name(session, searched[kind], key)][:1]
    if not found:
        raise NotFound(
            f"There is no file and no record '{said}'.",
            hint="Name a picture file, or a record by its id or the end of it. "
            "`sfumato jobs list`, `sfumato train list` and `sfumato data list` show what there is.",
        )
    if len(found) > 1:
        some = ", ".join(row.ref for row in found[:4])
        raise InvalidInput(f"'{said}' fits {len(found)} records: {some}.", hint="Write more of the id.")
    return found[0]


def _by_id(session: Session, table: type[Record], key: str) -> list[Record]:
    exact = session.get(table, key)
    if exact is not None:
        return [exact]
    if len(key) < SHORTEST:
        return []
    fits = table.id.endswith(key, autoescape=True)
    if hasattr(table, "content_hash"):
        fits |= table.content_hash.startswith(key, autoescape=True)
    return list(session.scalars(select(table).where(fits).limit(5)))


def _by_name(session: Session, table: type[Record], name: str) -> list[Record]:
    column, former = getattr(table, "name", None), getattr(table, "former", None)
    found = list(session.scalars(select(table).where(column == name))) if column is not None else []
    if not found and former is not None:  # what had that name once, and was renamed
        renamed = session.execute(select(table.id, former))
        found = [session.get_one(table, one) for one, names in renamed if name in names]
    return found
