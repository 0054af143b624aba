"""The Open Clip Art Library as Debian packs it (openclipart-svg): each drawing says its title, maker and licence."""

import os
import re
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import ClassVar

from pydantic import Field

from sfumato.data.found import Found, Handed, Later, Left
from sfumato.data.pictures import UNSAFE_SVG
from sfumato.data.places import Place, within
from sfumato.data.rights import read_rights
from sfumato.data.sources.folder import key_of
from sfumato.errors import NotFound

PACKED = "/usr/share/openclipart/svg"
LARGEST = 20_000_000  # bytes of one drawing
ENTITY = re.compile(r"<!ENTITY\s+(\w+)\s+[\"']([^\"'&<>]{0,200})[\"']\s*>")
DOCTYPE = re.compile(r"<!DOCTYPE[^\[>]*(?:\[[^\]]*\])?\s*>", re.DOTALL)
FOREIGN = re.compile(r"<foreignObject\b[^>]*?(?:/>|>.*?</foreignObject\s*>)", re.DOTALL)
FOREIGNERS = 50  # in one drawing; more take too long to look for
NO_TITLE = re.compile(r"^(clip ?art by|untitled|unnamed|svg|no title|open ?clip)|openclipart|\.svg$", re.IGNORECASE)
NO_WORD = {"unsorted", "clip art", "clipart", "svg", "image", "images", "png", "media", "public domain", "contest"}


class Options(Place):
    """Where the package lies."""

    KIND: ClassVar[str] = "Debian"
    path: str = Field(PACKED, description="the folder svg of the package")
    label: str = Field("openclipart-svg", max_length=150, description="what to call it")


def read(options: Options, cache: Path) -> Iterator[Handed]:
    """Yield every drawing in order of its path; the package links some to others, which come as the copies they are."""
    root = Path(options.path)
    if not root.is_dir():
        raise NotFound(
            f"{root} is not there.", hint="Run: apt-get install openclipart-svg, or give the package's folder as path."
        )
    for path in _drawings(root):
        key = key_of(path, root)
        real = within(key, root)
        size = os.path.getsize(real) if real and os.path.isfile(real) else -1
        if size < 0:
            yield Left(key, "unreadable", "it is a link that leads out of the package, or nowhere", options.source)
        elif size > LARGEST:
            yield Left(key, "too large", f"{size:,} bytes", options.source)
        else:
            yield Later(key, options.source, partial(_one, real, key, options), size)


def count(options: Options, cache: Path) -> int:
    """How many drawings and links there are."""
    return sum(1 for _ in _drawings(Path(options.path)))


def plain(svg: str) -> str:
    """The drawing without declarations, and without what only one program can show."""
    known = dict(ENTITY.findall(svg))
    svg = DOCTYPE.sub("", svg, count=1)
    for name, value in known.items():
        svg = svg.replace(f"&{name};", value)
    return FOREIGN.sub("", svg) if svg.count("<foreignObject") <= FOREIGNERS else svg


def _drawings(root: Path) -> Iterator[str]:
    for folder, below, names in os.walk(root, followlinks=False):
        below.sort()
        yield from (os.path.join(folder, name) for name in sorted(names) if name.lower().endswith(".svg"))


def _one(path: str, key: str, options: Options) -> Found | Left:
    """The drawing with what its RDF says; a title that says nothing gives way to its file's name."""
    try:
        data = Path(path).read_bytes()
    except OSError as problem:
        return Left(key, "unreadable", problem.strerror or str(problem), options.source)
    said = read_rights(data, None)
    drawing = plain(data.decode("utf-8", "replace"))
    title = said.text("title").strip(" .")
    named = re.sub(r"[\W_]+|\d+", " ", Path(key).stem).strip().lower()
    words = said.evidence.get("keywords", {}).get("value", [])
    tags = [word for word in words if word.lower() not in NO_WORD] if isinstance(words, list) else []
    evidence = dict(said.evidence)
    if UNSAFE_SVG.search(drawing) is None and drawing.encode() != data:
        evidence["rewritten"] = {"value": "no declarations, no foreign objects", "found": "collecting"}
    return Found(
        key, drawing.encode(), name=title if title and not NO_TITLE.search(title) else named, tags=tags,
        category=" ".join(Path(key).parts[:-1][:1]).replace("_", " ")[:60], licence=said.licence or options.licence,
        author=said.text("creator")[:200] or options.author, source=options.source, evidence=evidence,
    )  # fmt: skip
