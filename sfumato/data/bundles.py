"""Files that hold many pictures: what lies in them is read in memory, by name, and never gets a place on the disk."""

import csv
import io
import json
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from sfumato.data.columns import described
from sfumato.data.found import Found, Left
from sfumato.data.pictures import SUFFIXES
from sfumato.data.places import LARGEST, Place
from sfumato.errors import InvalidInput

CAPTION = 20_000  # bytes of a .txt that are read
TABLE = 500_000_000  # bytes of a table
TABLES = ("metadata.jsonl", "metadata.csv")


@dataclass(frozen=True)
class Entry:
    """A file within a file: `read` gives at most so many of its bytes, `why_not` is reason and detail if it may not."""

    name: str
    size: int
    read: Callable[[int], bytes]
    why_not: tuple[str, str] = ("", "")

    @property
    def path(self) -> PurePosixPath:
        """Its name as a path."""
        return PurePosixPath(self.name.replace("\\", "/"))


class Bundle:
    """The entries of one file, put together: pictures, their captions, and tables about them."""

    def __init__(self, options: Place, entries: Iterable[Entry]) -> None:
        self.options = options
        self.entries = {one.name: one for one in entries if not _hidden(one.path)}  # the last of a name counts

    def count(self) -> int:
        """How many have the name of a picture."""
        return sum(one.path.suffix.lower() in SUFFIXES for one in self.entries.values())

    def pictures(self) -> Iterator[Found | Left]:
        """Yield every picture in order of name."""
        said: dict[str, dict[str, Any]] = {}
        for one in self.entries.values():
            if one.path.name in TABLES and not one.why_not[0]:
                said |= {str(one.path.parent / str(row["file_name"])): row for row in self._rows(one)}
        for name in sorted(self.entries):
            one = self.entries[name]
            if one.path.suffix.lower() in SUFFIXES:
                yield self._one(one, said.get(str(one.path), {}))

    def _one(self, one: Entry, said: dict[str, Any]) -> Found | Left:
        source = self.options.source
        if one.why_not[0]:
            return Left(one.name, *one.why_not, source)
        if one.size > LARGEST:
            return Left(one.name, "too large", f"{one.size:,} bytes", source)
        caption = self.entries.get(str(PurePosixPath(one.name).with_suffix(".txt")))
        try:
            data = one.read(LARGEST + 1)
            if caption is not None and not caption.why_not[0]:
                said = {"text": caption.read(CAPTION).decode("utf-8", "replace")} | {
                    name: value for name, value in said.items() if name != "text" or value
                }
        except (OSError, EOFError, zipfile.BadZipFile, zlib.error, RuntimeError) as problem:
            return Left(one.name, "corrupt", f"it cannot be unpacked ({problem})", source)
        if len(data) > LARGEST:
            return Left(one.name, "too large", f"more than {LARGEST:,} bytes", source)
        known = described(said, licence=self.options.licence, author=self.options.author)
        return Found(one.name, data, source=source, **known)

    def _rows(self, one: Entry) -> list[dict[str, Any]]:
        text, place = one.read(TABLE).decode("utf-8-sig", "replace"), 0
        try:
            if one.path.suffix == ".csv":
                rows: list[Any] = list(csv.DictReader(io.StringIO(text, newline="")))
            else:
                rows = []
                for place, line in enumerate(text.split("\n"), 1):  # noqa: B007  # an error tells it
                    rows += [json.loads(line)] if line.strip() else []
        except (ValueError, RecursionError, csv.Error) as problem:
            at = f"{one.name} line {place}" if place else one.name
            raise InvalidInput(f"{at} cannot be read: {problem}.", hint="Correct or remove it.") from problem
        return [row for row in rows if isinstance(row, dict) and row.get("file_name")]


def _hidden(path: PurePosixPath) -> bool:
    """Whether a system put it there beside the real files."""
    return "__MACOSX" in path.parts or path.name.startswith("._")
