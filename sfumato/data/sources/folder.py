"""A folder of pictures with captions in .txt files of the same name, or in metadata.jsonl or metadata.csv."""

import csv
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

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


def read(options: Options, cache: Path) -> Iterator[Found | Left]:
    """Yield every picture in and below the folder, in order of name."""
    root = Path(options.path).expanduser().absolute()
    if not root.is_dir():
        raise InvalidInput(f"{root} is not a folder.", hint="Name a folder that holds pictures.")
    for folder, below, names in os.walk(root, followlinks=False):
        below.sort()
        here = Path(folder)
        said = _metadata(here)
        for name in sorted(names):
            if Path(name).suffix.lower() not in SUFFIXES:
                continue
            key = str((here / name).relative_to(root))
            yield _one(here / name, key, said.get(name, {}), options, root)


def _one(path: Path, key: str, said: dict[str, Any], options: Options, root: Path) -> Found | Left:
    source = f"folder {root.name}"
    try:
        if not path.is_file():
            return Left(key, "unreadable", "it is not a plain file", source)
        if path.stat().st_size > LARGEST:
            return Left(key, "too large", f"{path.stat().st_size:,} bytes", source)
        data = path.read_bytes()
        caption = path.with_suffix(".txt")
        text = str(said.get("text") or said.get("name") or "")
        if not text and caption.is_file():
            text = caption.read_text("utf-8", "replace")
    except OSError as problem:
        return Left(key, "unreadable", problem.strerror or str(problem), source)
    text = " ".join(text.split())
    tags = said.get("tags") or []
    tags = [tag.strip() for tag in tags.split(",")] if isinstance(tags, str) else [str(tag) for tag in tags]
    known = {name: str(said.get(name) or "") for name in TAKEN}
    known["licence"] = known["licence"] or str(said.get("license") or "") or options.licence
    known["author"] = known["author"] or options.author
    known["concept"] = known["concept"] or text.lower()
    return Found(key, data, name=text, tags=[tag for tag in tags if tag], source=source, **known)  # type: ignore[arg-type]


def _metadata(folder: Path) -> dict[str, dict[str, Any]]:
    """Lines of metadata.jsonl or metadata.csv by file name; raises InvalidInput naming a line that is not one."""
    lines = folder / "metadata.jsonl"
    rows: list[dict[str, Any]] = []
    if lines.is_file():
        for number, line in enumerate(lines.read_text("utf-8", "replace").splitlines(), 1):
            try:
                row = json.loads(line) if line.strip() else None
            except ValueError as problem:
                raise InvalidInput(
                    f"{lines} line {number} is not JSON: {problem}.", hint="Correct the line."
                ) from problem
            rows += [row] if isinstance(row, dict) else []
    elif (folder / "metadata.csv").is_file():
        with (folder / "metadata.csv").open(newline="", encoding="utf-8", errors="replace") as stream:
            rows = list(csv.DictReader(stream))
    return {str(row["file_name"]): row for row in rows if row.get("file_name")}
