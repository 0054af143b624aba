"""Parquet files with pictures in a column, as Hugging Face writes them, or with the paths of pictures beside them."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

from pydantic import Field, field_validator

from sfumato.data.columns import described
from sfumato.data.found import Found, Handed, Left
from sfumato.data.parquet_rows import columns_of, count_rows, rows_of
from sfumato.data.places import LARGEST, Place, check_columns, files_at, mapping, renamed, within
from sfumato.data.sources.folder import File

IMAGES = ("image", "img", "picture", "jpg", "png", "bytes", "file_name", "path")
SPLIT = re.compile(r"^(train|test|validation)(?=[-_.])")


class Options(Place):
    """Where the files are, which columns say what, and what holds for all rows unless one says otherwise."""

    KIND: ClassVar[str] = "parquet"
    path: str = Field(description="a .parquet file, a folder of them, or a pattern like train-*.parquet")
    image: str = Field("", description="the column of the pictures, if it is not called as usual")
    columns: list[str] = Field([], description="columns by other names, as in text=Title")
    root: str = Field("", description="the folder below which pictures lie that are named by their path")

    @field_validator("root")
    @classmethod
    def _from_here(cls, root: str) -> str:
        return str(Path(root).expanduser().absolute()) if root else ""


def read(options: Options, cache: Path) -> Iterator[Handed]:
    """Yield the picture of every row, file by file."""
    columns = mapping(options.columns, IMAGES)
    for table in _files(options):
        split = SPLIT.match(table.name)
        named = {options.image: options.image} if options.image else {}
        check_columns(table.name, columns_of(table), columns | named, (*IMAGES, *named))
        for number, row in enumerate(rows_of(table)):
            said = renamed(row, columns)
            if split:
                said.setdefault("split", split[1])
            yield _one(said, f"{table.name}/{number}", table, options)


def count(options: Options, cache: Path) -> int:
    """How many rows the files say that they have."""
    return sum(count_rows(table) for table in _files(options))


def _files(options: Options) -> list[Path]:
    return files_at(options.path, re.compile(r"\.parquet$"), "a .parquet file")


def _one(row: dict[str, Any], key: str, table: Path, options: Options) -> Handed:
    column = options.image or next((name for name in IMAGES if row.get(name) is not None), "")
    picture = row.pop(column, None) if column else None
    data, path = picture, ""
    if isinstance(picture, dict):
        data, path = picture.get("bytes"), str(picture.get("path") or "")
    elif isinstance(picture, str):
        data, path = None, picture
    if isinstance(data, bytes):
        if len(data) > LARGEST:
            return Left(key, "too large", f"{len(data):,} bytes", options.source)
        known = described(row, licence=options.licence, author=options.author)
        return Found(key, data, source=options.source, **known)
    if not path:
        return Left(key, "unreadable", "its row holds no picture", options.source)
    place = within(path, Path(options.root or table.parent))
    if not place:
        return Left(key, "unsafe name", f"'{path}' leads out of the folder", options.source)
    return File(place, key, options.source).later(options, row)
