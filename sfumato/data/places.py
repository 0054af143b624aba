"""Places on the server that sources read: what their options have in common, and tables that lie beside pictures."""

import csv
import glob
import json
import re
from collections.abc import Iterable
from pathlib import Path, PurePosixPath
from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict, Field, field_validator

from sfumato.data.columns import ATTRIBUTES, KNOWN
from sfumato.errors import InvalidInput, unknown

LARGEST = 200_000_000  # bytes of one picture
SERVER_PATHS = ("path", "root", "packages_dir")  # options by which a source reads what lies on the server: for admins


class Place(BaseModel):
    """Where it is, and what holds for all of it unless a line says otherwise."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)
    KIND: ClassVar[str] = "folder"

    path: str = Field(description="the folder")
    licence: str = Field("NOASSERTION", description="SPDX name of the licence")
    author: str = Field("", description="who made the pictures")
    label: str = Field("", max_length=150, description="what to call it, instead of its own name")

    @field_validator("path")
    @classmethod
    def _absolute(cls, path: str) -> str:
        return str(Path(path).expanduser().absolute())  # whoever reads it may stand elsewhere

    @property
    def source(self) -> str:
        """What the rows say they came from: no path, since that is nobody else's business."""
        return f"{self.KIND} {self.label or Path(self.path).name}"

    def folder(self) -> Path:
        """The folder; raises InvalidInput if it is none."""
        root = Path(self.path)
        if not root.is_dir():
            raise InvalidInput(f"{root} is not a folder.", hint="Name a folder that holds pictures.")
        return root

    def file(self, what: str) -> Path:
        """The file; raises InvalidInput if it is none."""
        path = Path(self.path)
        if not path.is_file():
            raise InvalidInput(f"{path} is not a file.", hint=f"Name {what}.")
        return path


def read_lines(lines: Path) -> list[Any]:
    """Rows of a file of JSON lines; raises InvalidInput that names the line that is none."""
    rows: list[Any] = []
    for number, line in enumerate(lines.read_text("utf-8", "replace").split("\n"), 1):
        try:
            rows.append(json.loads(line) if line.strip() else None)
        except (ValueError, RecursionError) as problem:
            raise InvalidInput(f"{lines} line {number} is not JSON: {problem}.", hint="Correct the line.") from problem
    return rows


def read_sheet(sheet: Path) -> list[Any]:
    """Rows of a CSV with a head; raises InvalidInput if it is none."""
    try:
        with sheet.open(newline="", encoding="utf-8-sig", errors="replace") as stream:
            return list(csv.DictReader(stream, delimiter="\t" if sheet.suffix.lower() == ".tsv" else ","))
    except csv.Error as problem:
        raise InvalidInput(f"{sheet} is not a table: {problem}.", hint="Correct or remove it.") from problem


def files_at(path: str, named: re.Pattern[str], what: str) -> list[Path]:
    """The files that a path, a folder or a pattern stands for, by name; raises InvalidInput if there are none."""
    place = Path(path)
    if place.is_dir():
        found = [one for one in place.rglob("*") if named.search(one.name)]
    else:
        found = [place] if place.is_file() else [Path(one) for one in glob.glob(path)]
    found = sorted(one for one in found if one.is_file())
    if not found:
        raise InvalidInput(f"There is nothing to read at {path}.", hint=f"Name {what}, a folder of them, or a pattern.")
    return found


def mapping(columns: list[str], pictures: tuple[str, ...]) -> dict[str, str]:
    """What a person says of columns ("text=Title") as theirs by ours; `pictures` are our names for a picture's column.

    Raises InvalidInput for what is no such pair, or where there is no such column of ours.
    """
    pairs = [tuple(part.strip() for part in one.split("=", 1)) for one in columns]
    wrong = [one for one, pair in zip(columns, pairs, strict=True) if len(pair) != 2 or not all(pair)]
    if wrong:
        raise InvalidInput(f"'{wrong[0]}' does not map a column.", hint="Write OURS=THEIRS, as in text=Title.")
    for ours, _ in pairs:
        if ours not in (*pictures, *KNOWN) and not ours.startswith(ATTRIBUTES[1]):
            raise unknown("column to map to", ours, (*pictures, *KNOWN))
    return {pair[0]: pair[1] for pair in pairs}


def check_columns(table: str, there: Iterable[str], columns: dict[str, str], pictures: tuple[str, ...]) -> None:
    """Raise InvalidInput where a table lacks a column that was named, or has none that names its pictures."""
    named = list(there)
    lacks = next((theirs for theirs in columns.values() if theirs not in named), "")
    has = f"It has: {', '.join(named) or 'none'}."
    if lacks:
        raise InvalidInput(f"{table} has no column '{lacks}'.", hint=has)
    if not {*named, *columns}.intersection(pictures):
        raise InvalidInput(
            f"No column of {table} is for pictures: {', '.join(pictures)}.",
            hint=f"{has} Say which, as in {pictures[0]}=Image.",
        )


def renamed(row: dict[str, Any], columns: dict[str, str]) -> dict[str, Any]:
    """A row with its columns under our names as well."""
    return {**row, **{ours: row[theirs] for ours, theirs in columns.items() if theirs in row}}


def leads_out(name: str) -> bool:
    """Whether the name of a file within a file leads out of it."""
    return name.startswith("/") or ".." in PurePosixPath(name.replace("\\", "/")).parts


def within(name: str, root: Path) -> str:
    """The path of a file below the root that a table names, "" if it leads elsewhere, also by a link."""
    path = (root / name).resolve()
    return str(path) if path.is_relative_to(root.resolve()) else ""
