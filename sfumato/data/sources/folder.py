"""A folder of pictures with captions in .txt files of the same name, or in metadata.jsonl or metadata.csv."""

import csv
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, field_validator

from sfumato.data.found import Found, Left
from sfumato.data.pictures import SUFFIXES
from sfumato.errors import InvalidInput

LARGEST = 200_000_000
TAKEN = ("licence", "author", "style", "category", "url", "concept")


class Options(BaseModel):
    """Where the folder is, and what holds for all of it unless a line says otherwise."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    path: str = Field(description="the folder")
    licence: str = Field("NOASSERTION", description="SPDX name of the licence")
    author: str = Field("", description="who made the pictures")
    label: str = Field("", max_length=150, description="what to call the folder, instead of its own name")

    @field_validator("path")
    @classmethod
    def _absolute(cls, path: str) -> str:
        return str(Path(path).expanduser().absolute())  # whoever reads it may stand elsewhere

    @property
    def source(self) -> str:
        """What the rows say they came from: no path, since that is nobody else's business."""
        return f"folder {self.label or Path(self.path).name}"


def read(options: Options, cache: Path) -> Iterator[Found | Left]:
    """Yield every picture in and below the folder, in order of name."""
    root = Path(options.path)
    if not root.is_dir():
        raise InvalidInput(f"{root} is not a folder.", hint="Name a folder that holds pictures.")
    said: dict[Path, dict[str, Any]] = {}
    closed: list[OSError] = []
    for folder, below, names in os.walk(root, followlinks=False, onerror=closed.append):
        below.sort()
        here = Path(folder)
        said |= _metadata(here)
        for name in sorted(names):
            if Path(name).suffix.lower() in SUFFIXES:
                path = here / name
                yield _one(path, _key(path, root), said.pop(path, {}), options)
    for problem in closed:
        yield Left(_key(Path(problem.filename), root), "unreadable", problem.strerror or str(problem), options.source)


def _key(path: Path, root: Path) -> str:
    """The path below the root, also where a name is no proper text."""
    return os.fsencode(path.relative_to(root)).decode("utf-8", "backslashreplace")


def _one(path: Path, key: str, said: dict[str, Any], options: Options) -> Found | Left:
    source = options.source
    try:
        if not path.is_file():
            return Left(key, "unreadable", "it is not a plain file", source)
        if path.stat().st_size > LARGEST:
            return Left(key, "too large", f"{path.stat().st_size:,} bytes", source)
        data = path.read_bytes()
        caption = path.with_suffix(".txt")
        text = _words(said.get("text") or said.get("name"))
        if not text and caption.is_file():
            text = _words(caption.read_text("utf-8", "replace"))
    except OSError as problem:
        return Left(key, "unreadable", problem.strerror or str(problem), source)
    tags = said.get("tags") or []
    tags = tags.split(",") if isinstance(tags, str) else tags if isinstance(tags, list) else [tags]
    known = {name: _words(said.get(name)) for name in TAKEN}
    known["licence"] = known["licence"] or _words(said.get("license")) or options.licence
    known["author"] = known["author"] or options.author
    known["concept"] = known["concept"] or text.lower()
    words = [tag for tag in map(_words, tags) if tag]
    return Found(key, data, name=text, tags=words, source=source, **known)  # type: ignore[arg-type]


def _words(said: Any) -> str:
    """Whatever was said as text on one line; a NUL, which no database takes, is a space as well."""
    return " ".join(str(said if said is not None else "").replace("\0", " ").split())


def _metadata(folder: Path) -> dict[Path, dict[str, Any]]:
    """Lines of metadata.jsonl or metadata.csv by the file that they are about; InvalidInput names one that is none."""
    rows: list[Any] = []
    lines, sheet = folder / "metadata.jsonl", folder / "metadata.csv"
    if lines.is_file():
        for number, line in enumerate(lines.read_text("utf-8", "replace").split("\n"), 1):
            try:
                rows.append(json.loads(line) if line.strip() else None)
            except (ValueError, RecursionError) as problem:
                raise InvalidInput(
                    f"{lines} line {number} is not JSON: {problem}.", hint="Correct the line."
                ) from problem
    elif sheet.is_file():
        try:
            with sheet.open(newline="", encoding="utf-8-sig", errors="replace") as stream:
                rows = list(csv.DictReader(stream))
        except csv.Error as problem:
            raise InvalidInput(f"{sheet} is not a table: {problem}.", hint="Correct or remove it.") from problem
    named = [row for row in rows if isinstance(row, dict) and row.get("file_name")]
    return {folder / str(row["file_name"]): row for row in named}
