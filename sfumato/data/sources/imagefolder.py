"""A folder as Hugging Face lays it out: a folder for each split, below it one for each class or a metadata file."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

from pydantic import Field

from sfumato.data.found import Handed, Left
from sfumato.data.places import Place, read_lines, read_sheet
from sfumato.data.sources import folder
from sfumato.data.sources.folder import File, is_picture, key_of

SPLITS = {
    "train": "train", "training": "train", "test": "test", "testing": "test", "eval": "test", "evaluation": "test",
    "validation": "validation", "valid": "validation", "val": "validation", "dev": "validation",
}  # fmt: skip
TABLES = ("metadata.jsonl", "metadata.csv", "metadata.parquet")


class Options(Place):
    """Where the folder is, and what holds for all of it unless a line says otherwise."""

    KIND: ClassVar[str] = "imagefolder"
    path: str = Field(description="the folder that holds train, test and the like")


def read(options: Options, cache: Path) -> Iterator[Handed]:
    """Yield every picture with its split; its folder is its class where no metadata tells of it."""
    root = options.folder()
    said: dict[str, dict[str, Any]] = {}
    closed: list[OSError] = []
    told: dict[str, bool] = {}  # by split, whether it has metadata
    for place, below, names in os.walk(root, followlinks=False, onerror=closed.append):
        below.sort()
        parts = Path(place).relative_to(root).parts
        split = SPLITS.get(parts[0].lower(), "") if parts else ""
        classes = parts[1:] if split else parts
        table = next((one for one in TABLES if one in names), "")
        if table:
            said |= _metadata(Path(place) / table)
            told[split] = True
        own = {"split": split} if split else {}
        if classes and not told.get(split) and not told.get(""):
            own["category"] = own["text"] = classes[-1].replace("_", " ")
        there = set(names)
        for name in sorted(names):
            if is_picture(name):
                path, caption = os.path.join(place, name), f"{os.path.splitext(name)[0]}.txt"
                beside = os.path.join(place, caption) if caption in there else ""
                row = own | said.pop(path, {})
                if beside and row.get("text") == own.get("text"):
                    row.pop("text", None)  # words of its own say more than its class
                yield File(path, key_of(path, root), options.source).later(options, row, beside)
    for problem in closed:
        yield Left(key_of(problem.filename, root), "unreadable", problem.strerror or str(problem), options.source)


def count(options: Options, cache: Path) -> int:
    """How many pictures there are, by their names alone."""
    return folder.count(options, cache)


def _metadata(table: Path) -> dict[str, dict[str, Any]]:
    """Rows of a metadata file by the picture that they are about."""
    if table.suffix == ".parquet":
        from sfumato.data.parquet_rows import rows_of

        rows: list[Any] = list(rows_of(table))
    else:
        rows = read_lines(table) if table.suffix == ".jsonl" else read_sheet(table)
    named = [row for row in rows if isinstance(row, dict) and row.get("file_name")]
    return {os.path.normpath(table.parent / str(row["file_name"])): row for row in named}
