"""A ZIP of pictures, with captions in .txt files of the same name or in metadata.jsonl or metadata.csv inside."""

import stat
import zipfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import ClassVar

from pydantic import Field

from sfumato.data.bundles import Bundle, Entry
from sfumato.data.found import Handed
from sfumato.data.places import Place, leads_out
from sfumato.errors import InvalidInput

ENTRIES = 2_000_000  # that one file may list
RATIO = 200  # times that an entry may be larger than it lies there; pictures hardly shrink


class Options(Place):
    """Where the file is, and what holds for all of it unless a line says otherwise."""

    KIND: ClassVar[str] = "zip"
    path: str = Field(description="the .zip file")
    most_mb: int = Field(500_000, ge=1, description="megabytes that all of it may unpack to")


def read(options: Options, cache: Path) -> Iterator[Handed]:
    """Yield every picture in the file in order of name; nothing is unpacked to disk."""
    try:
        with zipfile.ZipFile(options.file("a .zip file")) as bundle:
            yield from Bundle(options, _entries(bundle, options)).pictures()
    except (zipfile.BadZipFile, ValueError, OverflowError) as problem:
        raise InvalidInput(f"{Path(options.path).name} cannot be read as a ZIP: {problem}.") from problem


def count(options: Options, cache: Path) -> int:
    """How many pictures there are, by their names alone."""
    try:
        with zipfile.ZipFile(options.path) as bundle:
            return Bundle(options, _entries(bundle, options)).count()
    except (zipfile.BadZipFile, OSError, ValueError, OverflowError):
        return 0  # reading says what is wrong


def _entries(bundle: zipfile.ZipFile, options: Options) -> list[Entry]:
    """What the file lists, with the reason why an entry is not read."""
    listed = [one for one in bundle.infolist() if not one.is_dir()]
    unpacked = sum(one.file_size for one in listed)
    if len(listed) > ENTRIES or unpacked > options.most_mb * 1_000_000:
        raise InvalidInput(
            f"The ZIP says that it holds {len(listed):,} files of {unpacked:,} bytes.",
            hint=f"At most {ENTRIES:,} files and {options.most_mb:,} MB are taken.",
        )
    return [
        Entry(one.filename, one.file_size, partial(_read, bundle, one), _why_not(one)) for one in listed
    ]


def _why_not(one: zipfile.ZipInfo) -> tuple[str, str]:
    kind = one.external_attr >> 16
    if one.flag_bits & 1:
        return "encrypted", "it needs a password"
    if kind and stat.S_IFMT(kind) not in (0, stat.S_IFREG):
        return "unreadable", "it is not a plain file"
    if leads_out(one.filename):
        return "unsafe name", "its name leads out of the file"
    if one.file_size > 1_000_000 and one.file_size > RATIO * max(one.compress_size, 1):
        return "too large", f"it unpacks to {one.file_size:,} bytes from {one.compress_size:,}"
    return "", ""


def _read(bundle: zipfile.ZipFile, one: zipfile.ZipInfo, most: int) -> bytes:
    """At most so many bytes, whatever the list says of them."""
    with bundle.open(one) as stream:
        return stream.read(most)
