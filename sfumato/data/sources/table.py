"""A table of pictures on the server: a CSV, TSV or JSON lines with the path of each and what is known of it."""

import csv
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

from pydantic import Field, field_validator

from sfumato.data.columns import words
from sfumato.data.found import Handed, Left
from sfumato.data.places import Place, check_columns, mapping, renamed, within
from sfumato.data.sources.folder import File
from sfumato.errors import InvalidInput

FILE = ("file_name", "path", "file", "image", "filename")  # the first that a row has names its picture
LINE = 1_000_000  # letters of one line


class Options(Place):
    """Where the table is, which of its columns says what, and what holds for all rows unless one says otherwise."""

    KIND: ClassVar[str] = "table"
    path: str = Field(description="the .csv, .tsv or .jsonl file")
    columns: list[str] = Field([], description="columns by other names, as in text=Title or file_name=Image")
    root: str = Field("", description="the folder below which the pictures lie, if not the table's own")

    @field_validator("root")
    @classmethod
    def _from_here(cls, root: str) -> str:
        return str(Path(root).expanduser().absolute()) if root else ""


def read(options: Options, cache: Path) -> Iterator[Handed]:
    """Yield the picture of every row, in the order of the table."""
    table = options.file("a .csv, .tsv or .jsonl file")
    root, columns = Path(options.root or table.parent), mapping(options.columns, FILE)
    seen: set[int] = set()
    for number, row in _rows(table, columns):
        place = f"{table.name} line {number}"
        if not isinstance(row, dict):
            yield Left(place, "unreadable", str(row), options.source)
            continue
        said = renamed(row, columns)
        name = next((text for text in (words(said.get(one)) for one in FILE) if text), "")
        path = within(name, root) if name else ""
        if not path:
            why = f"'{name}' leads out of {root.name}" if name else f"it names no file in {', '.join(FILE)}"
            yield Left(place, "unsafe name" if name else "unreadable", why, options.source)
        elif hash(name) in seen:
            yield Left(place, "named twice", f"'{name}' was named before", options.source)
        else:
            seen.add(hash(name))
            yield File(path, name, options.source).later(options, said)


def count(options: Options, cache: Path) -> int:
    """How many lines there are; one that goes over several is counted as so many."""
    try:
        with open(options.path, "rb") as stream:
            return sum(1 for line in stream if line.strip()) - (not options.path.endswith(".jsonl"))
    except OSError:
        return 0  # reading says what is wrong


def _rows(table: Path, columns: dict[str, str]) -> Iterator[tuple[int, dict[str, Any] | str]]:
    """Rows by line, or what is wrong with one; raises InvalidInput where it is no text in UTF-8."""
    try:
        yield from _read_rows(table, columns)
    except UnicodeDecodeError as problem:
        raise InvalidInput(f"{table.name} is no text in UTF-8.", hint="Save it as UTF-8, then collect.") from problem


def _read_rows(table: Path, columns: dict[str, str]) -> Iterator[tuple[int, dict[str, Any] | str]]:
    """Rows by line, or what is wrong with one."""
    with table.open(newline="", encoding="utf-8-sig") as stream:
        if table.suffix.lower() in (".jsonl", ".ndjson", ".json"):
            number = 0
            while line := stream.readline(LINE):
                number += 1
                try:
                    row = json.loads(line) if line.strip() else None
                except (ValueError, RecursionError) as problem:
                    row = f"it is not JSON: {problem}"
                if row is not None:
                    yield number, row if isinstance(row, dict | str) else "it is no object"
            return
        try:
            reader = csv.DictReader(stream, delimiter="\t" if table.suffix.lower() == ".tsv" else ",")
            check_columns(table.name, (name for name in reader.fieldnames or () if name), columns, FILE)
            for row in reader:
                yield reader.line_num, {name: value for name, value in row.items() if isinstance(name, str)}
        except csv.Error as problem:
            raise InvalidInput(f"{table} is not a table: {problem}.", hint="Correct it.") from problem
