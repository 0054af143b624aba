"""WebDataset: .tar shards in which a picture lies beside the .txt, .json and .cls files of the same name."""

import gzip
import json
import lzma
import re
import tarfile
import zlib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Any, ClassVar

from pydantic import Field

from sfumato.data.columns import described
from sfumato.data.found import Found, Left
from sfumato.data.pictures import SUFFIXES
from sfumato.data.places import LARGEST, Place, files_at, leads_out

WORDS = {"txt", "text", "caption", "json", "cls"}
SIDE = 2_000_000  # bytes of what lies beside a picture
BROKEN = (tarfile.TarError, EOFError, zlib.error, gzip.BadGzipFile, lzma.LZMAError)


class Options(Place):
    """Where the shards are, and what holds for all of them unless a file says otherwise."""

    KIND: ClassVar[str] = "tar"
    path: str = Field(description="a .tar or .tar.gz file, a folder of them, or a pattern like train-*.tar")


def read(options: Options, cache: Path) -> Iterator[Found | Left]:
    """Yield every sample of every shard, in the order in which they lie there."""
    found = shards(options.path)
    named = Counter(shard.name for shard in found)
    for shard in found:
        name = shard.name if named[shard.name] == 1 else f"{shard.parent.name}/{shard.name}"
        try:
            with tarfile.open(shard, "r|*") as stream:
                yield from _samples(stream, name, options)
        except BROKEN as problem:
            yield Left(f"{name}/", "corrupt", f"the shard cannot be read on ({problem})", options.source)


def shards(path: str) -> list[Path]:
    """The shards that a path, a folder or a pattern stands for, by name; raises InvalidInput if there are none."""
    return files_at(path, re.compile(r"\.(tar|tar\.\w+|tgz)$"), "a .tar file")


def _samples(stream: tarfile.TarFile, shard: str, options: Options) -> Iterator[Found | Left]:
    """Members of one name that follow each other are one sample."""
    name, parts = "", {}  # type: str, dict[str, bytes | Left]
    for member in stream:
        stream.members.clear()  # type: ignore[attr-defined]  # or all are kept to the end
        path = PurePosixPath(member.name)
        stem, _, kind = path.name.partition(".")
        kind = kind.lower()
        if not kind or (kind not in WORDS and f".{kind.rpartition('.')[2]}" not in SUFFIXES):
            continue
        place = f"{shard}/{path.parent / stem}"
        if place != name:
            yield from _put_together(name, parts, options)
            name, parts = place, {}
        parts[kind] = _content(stream, member, f"{name}.{kind}", options, SIDE if kind in WORDS else LARGEST)
    yield from _put_together(name, parts, options)


def _content(
    stream: tarfile.TarFile, member: tarfile.TarInfo, key: str, options: Options, most: int
) -> bytes | Left:
    """The bytes of a member, which is never given a place on the disk."""
    if not member.isfile() or member.issparse():
        return Left(key, "unreadable", "it is not a plain file", options.source)
    if leads_out(member.name):
        return Left(key, "unsafe name", "its name leads out of the file", options.source)
    if member.size > most:
        return Left(key, "too large", f"{member.size:,} bytes", options.source)
    content = stream.extractfile(member)
    return content.read(most) if content is not None else b""


def _put_together(name: str, parts: dict[str, Any], options: Options) -> Iterator[Found | Left]:
    said: dict[str, Any] = {}
    for kind in ("cls", "text", "caption", "txt"):
        if isinstance(parts.get(kind), bytes):
            words = parts[kind].decode("utf-8", "replace")
            said |= {"category": words} if kind == "cls" else {"text": words}
    try:
        told = json.loads(parts["json"]) if isinstance(parts.get("json"), bytes) else {}
    except (ValueError, RecursionError):
        told = {}
    if isinstance(told, dict):
        said = told | {field: words for field, words in said.items() if not (field == "category" and told.get(field))}
    known = described(said, licence=options.licence, author=options.author)
    for kind in sorted(set(parts) - WORDS):
        if isinstance(parts[kind], Left):
            yield parts[kind]
        else:
            yield Found(f"{name}.{kind}", parts[kind], source=options.source, **known)
