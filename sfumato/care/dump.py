"""Tables as JSON lines, out of either database and into either: the same text whichever it came from."""

import base64
import json
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import JSON, Connection, DateTime, LargeBinary, Table, delete, insert, select, text
from sqlalchemy.exc import DBAPIError

from sfumato.errors import Damaged, InvalidInput

SKIPPED = {"alembic_version", "worker", "sign_in"}  # who works, and who is signed in, belongs to the place it was at
AT_ONCE = 1_000


def columns_of(table: Table) -> dict[str, str]:
    """What of a table's columns needs a translation: moments, bytes and JSON by name."""
    kinds = {DateTime: "moment", LargeBinary: "bytes", JSON: "json"}
    return {
        column.name: word for column in table.columns for kind, word in kinds.items() if isinstance(column.type, kind)
    }


def write_rows(connection: Connection, table: Table) -> Iterator[bytes]:
    """The rows of a table as JSON lines, in the order of their keys."""
    special = {name: kind for name, kind in columns_of(table).items() if kind != "json"}
    names = [column.name for column in table.columns]
    ordered = select(table).order_by(*table.primary_key.columns)
    rows = connection.execute(ordered.execution_options(yield_per=AT_ONCE))
    encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
    for row in rows:
        values = dict(zip(names, row, strict=True))
        for name, kind in special.items():
            values[name] = _out(values[name], kind)
        yield encode(values).encode("utf-8", "surrogatepass") + b"\n"


def read_rows(connection: Connection, table: Table, lines: Iterable[bytes]) -> int:
    """Put JSON lines into a table in place of what it holds; returns how many there were. Raises Damaged."""
    special = columns_of(table)
    known = {column.name for column in table.columns}
    for column in table.columns:
        if isinstance(column.type, JSON):
            column.type = JSON(none_as_null=bool(column.nullable))
    count, batch = 0, []
    for line in lines:
        try:
            row = json.loads(line)
        except ValueError as problem:
            raise Damaged(f"A row of the table {table.name} cannot be read from the backup.") from problem
        if not isinstance(row, dict) or set(row) - known:
            raise Damaged(f"The backup's table {table.name} has other columns than its revision says.")
        for name, kind in special.items():
            if name in row:
                row[name] = _in(row[name], kind)
        batch.append(row)
        count += 1
        if len(batch) >= AT_ONCE:
            _insert(connection, table, batch)
            batch = []
    if batch:
        _insert(connection, table, batch)
    return count


def clear_all(connection: Connection, tables: Iterable[Table]) -> None:
    """Empty tables that a fresh schema has filled already; those that others refer to come last."""
    if connection.dialect.name == "sqlite":
        connection.execute(text("PRAGMA defer_foreign_keys = ON"))  # until the commit, which checks them all
    for table in reversed(list(tables)):
        if table.name != "alembic_version":
            connection.execute(delete(table))


def _insert(connection: Connection, table: Table, batch: list[dict[str, Any]]) -> None:
    try:
        for names in {tuple(row) for row in batch}:
            connection.execute(insert(table), [row for row in batch if tuple(row) == names])
    except DBAPIError as problem:
        first = str(problem.orig).strip().splitlines()[0]
        raise InvalidInput(
            f"The table {table.name} of the backup does not fit into this database: {first}"
        ) from problem


def _out(value: Any, kind: str) -> Any:
    if isinstance(value, datetime):
        aware = value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
        return aware.isoformat()
    return base64.b64encode(value).decode() if kind == "bytes" and value is not None else value


def _in(value: Any, kind: str) -> Any:
    if value is None:
        return None
    if kind == "moment":
        return datetime.fromisoformat(value)
    return base64.b64decode(value) if kind == "bytes" else value
