"""Which rows name which files of the store, read from the tables themselves and thus in all projects."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from sqlalchemy import JSON, Column, Connection, MetaData, String, Table, Text, cast, select
from sqlalchemy.orm import Session

from sfumato.errors import SfumatoError
from sfumato.store import Store

HEX = re.compile(r"(?<![0-9a-f])[0-9a-f]{64}(?![0-9a-f])")
FILES = {  # columns whose hash has to be in the store, and what it is to people
    ("item", "sha256"): "dataset pictures",
    ("published", "sha256"): "published pictures",
    ("image", "sha256"): "pictures as drawn",
    ("dataset_version", "items_sha256"): "lists of frozen versions",
    ("checkpoint", "content_hash"): "checkpoints",
}
NO_FILES = {  # columns that hold such a hash of something that may lie elsewhere, or that is gone on purpose
    ("request", "checkpoint_sha256"), ("run", "parent_sha256"), ("erased", "sha256"), ("cleared", "sha256"),
    ("alias", "sha256"), ("item", "collected_sha256"), ("appearance", "pixels_sha256"),
}  # fmt: skip
NAMES = ("name", "key", "file_name", "samples_seen")  # columns that tell a row to people, the best first


@dataclass(frozen=True)
class Named:
    """A file that a row names."""

    sha256: str
    kind: str
    ref: str
    says: str


def tables_of(connection: Connection) -> dict[str, Table]:
    """All tables of the database as they are, by name; those that others refer to come first."""
    found = MetaData()
    found.reflect(connection)
    return {table.name: table for table in found.sorted_tables}


def named_files(session: Session, tables: dict[str, Table]) -> Iterator[Named]:
    """Every file that a row names."""
    for (name, column), kind in FILES.items():
        table = tables.get(name)
        if table is None:
            continue
        told = [table.c[one] for one in NAMES if one in table.c][:1]
        rows = session.execute(select(table.c.id, table.c[column], *told).execution_options(yield_per=5_000))
        for row in rows:
            yield Named(row[1], kind, f"{name}/{row[0]}", str(row[2]) if told else "")


def hashes(session: Session, table: Table, column: str) -> set[str]:
    """All values of a column of hashes."""
    return {value for value in session.scalars(select(table.c[column])) if value}


def mentioned(session: Session, tables: dict[str, Table], store: Store) -> set[str]:
    """Every hash that stands anywhere in the records or in a frozen list: what may be needed by somebody."""
    found: set[str] = set()
    for table in tables.values():
        columns = [cast(column, Text) for column in table.columns if _may_hold(column)]
        if not columns:
            continue
        for row in session.execute(select(*columns).execution_options(yield_per=5_000)):
            found.update(match for said in row if said for match in HEX.findall(said))
    lists = tables.get("dataset_version")
    for sha256 in hashes(session, lists, "items_sha256") if lists is not None else ():
        found.update(listed(store, sha256))
    return found


def listed(store: Store, sha256: str) -> Iterable[str]:
    """The hashes of the pictures in a frozen list; none where the list itself is missing."""
    try:
        return HEX.findall(store.get(sha256).decode("utf-8", "replace"))
    except SfumatoError:
        return ()


def _may_hold(column: Column) -> bool:
    if isinstance(column.type, JSON):
        return True
    return isinstance(column.type, String) and (column.type.length is None or column.type.length >= 64)
