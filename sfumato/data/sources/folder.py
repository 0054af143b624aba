"""A folder of pictures with captions in .txt files of the same name, or in metadata.jsonl or metadata.csv."""

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sfumato.data.columns import described, words
from sfumato.data.found import Found, Handed, Later, Left
from sfumato.data.pictures import SUFFIXES
from sfumato.data.places import LARGEST, Place, read_lines, read_sheet


class Options(Place):
    """Where the folder is, and what holds for all of it unless a line says otherwise."""


def read(options: Place, cache: Path) -> Iterator[Handed]:
    """Yield every picture in and below the folder, in order of name."""
    root = options.folder()
    said: dict[str, dict[str, Any]] = {}
    closed: list[OSError] = []
    for folder, below, names in os.walk(root, followlinks=False, onerror=closed.append):
        below.sort()
        said |= _metadata(Path(folder))
        there = set(names)
        for name in sorted(names):
            if is_picture(name):
                path = os.path.join(folder, name)
                caption = f"{os.path.splitext(name)[0]}.txt"
                beside = os.path.join(folder, caption) if caption in there else ""
                yield File(path, key_of(path, root), options.source).later(options, said.pop(path, {}), beside)
    for problem in closed:
        yield Left(key_of(problem.filename, root), "unreadable", problem.strerror or str(problem), options.source)


def count(options: Place, cache: Path) -> int:
    """How many pictures there are, by their names alone."""
    return sum(is_picture(name) for _, _, names in os.walk(options.path) for name in names)


def is_picture(name: str) -> bool:
    """Whether a file has the name of a picture."""
    return os.path.splitext(name)[1].lower() in SUFFIXES


def key_of(path: str, root: Path) -> str:
    """The path below the root, also where a name is no proper text."""
    return os.fsencode(os.path.relpath(path, root)).decode("utf-8", "backslashreplace")


@dataclass(frozen=True)
class File:
    """A picture's file: where it lies, its key, and what its source is called."""

    path: str
    key: str
    source: str

    def later(self, options: Place, said: dict[str, Any], caption: str = "") -> Later | Left:
        """The picture, to be read when its turn comes; `caption` is a file of words that counts if `said` has none."""
        try:
            state = os.stat(self.path)
        except OSError as problem:
            return Left(self.key, "unreadable", problem.strerror or str(problem), self.source)
        if not stat.S_ISREG(state.st_mode):
            return Left(self.key, "unreadable", "it is not a plain file", self.source)
        if state.st_size > LARGEST:
            return Left(self.key, "too large", f"{state.st_size:,} bytes", self.source)
        return Later(self.key, self.source, lambda: self._read(options, said, caption), state.st_size)

    def _read(self, options: Place, said: dict[str, Any], caption: str) -> Found | Left:
        try:
            with open(self.path, "rb") as stream:
                data = stream.read(LARGEST + 1)
            known = described(said, licence=options.licence, author=options.author)
            if caption and not known["name"]:
                with open(caption, encoding="utf-8", errors="replace") as stream:
                    known["name"] = words(stream.read(20_000))
                known["concept"] = known["concept"] or known["name"].lower()
        except OSError as problem:
            return Left(self.key, "unreadable", problem.strerror or str(problem), self.source)
        return Found(self.key, data, source=self.source, **known)


def _metadata(folder: Path) -> dict[str, dict[str, Any]]:
    """Lines of metadata.jsonl or metadata.csv by the file that they are about; InvalidInput names one that is none."""
    lines, sheet = folder / "metadata.jsonl", folder / "metadata.csv"
    rows = read_lines(lines) if lines.is_file() else read_sheet(sheet) if sheet.is_file() else []
    named = [row for row in rows if isinstance(row, dict) and row.get("file_name")]
    return {str(folder / str(row["file_name"])): row for row in named}
