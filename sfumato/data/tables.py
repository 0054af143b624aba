"""The pictures of a dataset as a table: for Arrow, pandas, CSV and Parquet, each loaded when it is first used."""

import csv
import importlib
import io
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import select

from sfumato.actions import Act, Workspace, query
from sfumato.data.collect import find_dataset
from sfumato.data.exports.outgoing import lines_of
from sfumato.data.narrowing import Where, narrow
from sfumato.data.records import Item
from sfumato.data.versions import open_version
from sfumato.errors import InvalidInput, Unsupported
from sfumato.store.files import write_whole

COLUMNS = (
    "id", "sha256", "key", "name", "tags", "style", "category", "concept", "licence", "author", "source",
    "source_version", "url", "width", "height", "has_alpha", "flip_ok", "weight", "state", "consent", "opt_out",
    "attributes", "suggested", "family", "given_split", "revision", "collected_at",
)  # fmt: skip
NESTED = ("tags", "attributes", "suggested")
KINDS = (".csv", ".parquet", ".jsonl")


@dataclass(frozen=True)
class Items:
    """Pictures as rows: one for each, with plain values."""

    title: str
    rows: list[dict[str, Any]]

    def __len__(self) -> int:
        return len(self.rows)

    def __iter__(self) -> Iterator[dict[str, Any]]:
        return iter(self.rows)

    def to_arrow(self) -> Any:
        """As a `pyarrow.Table`; raises Unsupported where pyarrow is not installed."""
        library = arrow()
        found = library.Table.from_pylist([_flat(row, lists=True) for row in self.rows])
        place = found.schema.get_field_index("tags")
        if place >= 0:  # where none has a tag, their kind could not be told from them
            words = library.list_(library.string())
            found = found.set_column(place, "tags", found.column("tags").cast(words))
        return found

    def to_pandas(self) -> Any:
        """As a `pandas.DataFrame`; raises Unsupported where pandas is not installed."""
        return _library("pandas").DataFrame([_flat(row, lists=True) for row in self.rows])

    def write(self, path: str | Path) -> Path:
        """Write to a file that ends with .csv, .parquet or .jsonl; it is there whole or not at all."""
        target = Path(path).expanduser()
        write_whole(target, self.as_bytes(target.suffix))
        return target

    def as_bytes(self, kind: str) -> bytes:
        """The bytes of a file of this kind; raises InvalidInput for another than .csv, .parquet or .jsonl."""
        if kind == ".csv":
            return self._csv()
        if kind == ".jsonl":
            return "".join(json.dumps(row, ensure_ascii=False, default=str) + "\n" for row in self.rows).encode()
        if kind != ".parquet":
            raise InvalidInput(f"'{kind}' is no kind of table.", hint=f"Name a file that ends with {_either(KINDS)}.")
        table, out = self.to_arrow(), io.BytesIO()
        importlib.import_module("pyarrow.parquet").write_table(table, out)
        return out.getvalue()

    def _csv(self) -> bytes:
        out = io.StringIO(newline="")
        if self.rows:
            writer = csv.DictWriter(out, list(self.rows[0]))
            writer.writeheader()
            writer.writerows(_flat(row) for row in self.rows)
        return out.getvalue().encode()


def _either(kinds: tuple[str, ...]) -> str:
    return f"{', '.join(kinds[:-1])} or {kinds[-1]}"


def _flat(row: dict[str, Any], *, lists: bool = False) -> dict[str, Any]:
    """The row without nesting: what varies from picture to picture becomes JSON text."""
    return {
        key: said if key not in NESTED or (lists and key == "tags") else json.dumps(said, ensure_ascii=False)
        for key, said in row.items()
    }


def items(workspace: Workspace, name: str, *, where: Where | None = None) -> Items:
    """The pictures of a dataset as they are now, or those that NAME@VERSION lists, as a table."""
    if "@" not in name:
        return Items(name, rows_now(workspace, name=name, where=where))
    version = open_version(workspace, name)
    lines, _ = lines_of(version, where or Where())
    return Items(version.label, [line.model_dump(exclude={"place"}) for line in lines])


@query("data.table", doors=("api", "cli", "library"))
def rows_now(act: Act, *, name: str, where: Where | None = None) -> list[dict[str, Any]]:
    """The pictures of a dataset as plain rows, with all that is known of each."""
    dataset = find_dataset(act.session, name)
    found = narrow(select(*(getattr(Item, one) for one in COLUMNS)), dataset.id, where or Where()).order_by(Item.id)
    return [dict(zip(COLUMNS, row, strict=True)) for row in act.session.execute(found)]


def arrow() -> Any:
    """The library pyarrow; raises Unsupported where it is not installed."""
    return _library("pyarrow")


def _library(name: str) -> Any:
    try:
        return importlib.import_module(name)
    except ImportError as missing:
        raise Unsupported(
            f"This needs the library {name}, which is not installed.", hint="Install it: pip install 'sfumato[data]'"
        ) from missing
