"""What leaves in an export: the lines of a version, shared out into parts that are written one after the other."""

import io
import json
import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image
from pydantic import BaseModel, ConfigDict
from sqlalchemy import select

from sfumato.actions import Act, Workspace, query
from sfumato.data.collect import find_dataset
from sfumato.data.drawing import Drawer
from sfumato.data.narrowing import Where, narrow
from sfumato.data.pictures import as_png, kind_of, open_picture
from sfumato.data.records import Item
from sfumato.data.versions import FrozenVersion, ItemLine
from sfumato.errors import NotFound

PICTURES, BYTES = 10_000, 1_000_000_000  # of one shard, at most
SVG_SIDE = 512  # pixels at which an SVG is drawn
NOT_GIVEN = ("refused", "withdrawn")
NOTHING_KNOWN: dict[str, Any] = {
    "id": "", "consent": "", "opt_out": "", "attributes": {}, "family": "", "width": 0, "height": 0,
}  # fmt: skip
REASONS = {
    "train": "not held out",
    "heldout_concept": "every picture of this thing is held out",
    "heldout_pair": "this thing is held out in this style",
    "heldout_given": "its source keeps it for tests",
    "heldout_family": "something of its family is held out",
}
SUFFIXES = {"jpeg": "jpg"}


class Line(BaseModel):
    """One picture of an export, with all that is known of it but its bytes."""

    model_config = ConfigDict(frozen=True)

    place: int
    id: str
    text: str
    tags: list[str]
    license: str
    author: str
    source: str
    source_version: str
    url: str
    sha256: str
    style: str
    category: str
    concept: str
    consent: str
    opt_out: str
    attributes: dict[str, Any]
    family: str
    width: int
    height: int
    weight: float
    flip_ok: bool
    split: str
    split_reason: str


class Shard(BaseModel):
    """Lines of one split that are written together: all of them, or again from the first."""

    model_config = ConfigDict(frozen=True)

    split: str
    number: int  # within its split
    of: int
    lines: list[Line]


@dataclass(frozen=True)
class Sample:
    """A picture on its way out: what is said of it, its bytes, and how a file of it is named."""

    facts: dict[str, Any]
    data: bytes
    suffix: str

    @property
    def key(self) -> str:
        """A name without dots, the same in each export of the same version."""
        return f"{self.facts['place']:08d}-{self.facts['sha256'][:12]}"


Facts = dict[tuple[str, ...], list[dict[str, Any]]]


@query("data.of_lines", doors=())
def facts_of(act: Act, *, name: str, where: Where) -> tuple[Facts, set[str]]:
    """What the dataset knows of its pictures beyond what a version lists, and the ids of those that are meant.

    They are found by content, source, style and concept; by content and source if an edit has changed the others.
    """
    dataset = find_dataset(act.session, name)
    columns = [getattr(Item, one) for one in NOTHING_KNOWN]
    found = select(Item.sha256, Item.collected_sha256, Item.source, Item.style, Item.concept, *columns)
    found = found.where(Item.dataset_id == dataset.id).order_by(Item.id)
    known: Facts = {}
    for sha256, before, source, style, concept, *values in act.session.execute(found):
        facts = dict(zip(NOTHING_KNOWN, values, strict=True))
        for content in {sha256, before} - {""}:
            known.setdefault((content, source, style, concept), []).append(facts)
            known.setdefault((content, source), []).append(facts)
    meant = set(act.session.scalars(narrow(select(Item.id), dataset.id, where)))
    return known, meant


def _found(known: Facts, line: ItemLine) -> dict[str, Any]:
    """The facts of a line; lines that are alike get one item each."""
    for key in ((line.sha256, line.source, line.style, line.concept), (line.sha256, line.source)):
        if found := known.get(key):
            return found.pop(0) if len(found) > 1 else found[0]
    return NOTHING_KNOWN


def lines_of(version: FrozenVersion, where: Where) -> tuple[list[Line], Counter[str]]:
    """The lines that may leave, and how many of the version's do not, by reason."""
    known, meant = facts_of(version.workspace, name=version.view.dataset, where=where)
    left: Counter[str] = Counter({"erased": version.gap} if version.gap else {})
    refused = {key[0]: one["consent"] for key, rows in known.items() for one in rows if one["consent"] in NOT_GIVEN}
    lines: list[Line] = []
    for line in version.items:
        facts = _found(known, line)
        if facts["id"] not in meant and where != Where():
            left["not in the slice"] += 1
            continue
        own = {key: value for key, value in line.model_dump().items() if key in Line.model_fields}
        # It may be withdrawn at any time, and holds for the same bytes under another name.
        own["consent"] = refused.get(line.sha256) or facts["consent"] or own.get("consent", "")
        if own["consent"] in NOT_GIVEN:
            left[f"consent {own['consent']}"] += 1
            continue
        reason = REASONS.get(line.split, "as its source has it")
        lines.append(
            Line(**{**facts, **own}, place=len(lines), text=line.name, license=line.licence, split_reason=reason)
        )
    return lines, left


def share_out(store_path: Any, lines: list[Line], *, pictures: int = PICTURES, most: int = BYTES) -> list[Shard]:
    """Lines split by split, in parts of so many pictures and bytes at most; `store_path` says where bytes lie."""
    by_split: dict[str, list[list[Line]]] = defaultdict(list)
    held: dict[str, int] = {}
    for line in lines:
        parts = by_split[line.split]
        size = _size(store_path(line.sha256))
        if not parts or len(parts[-1]) >= pictures or held[line.split] + size > most:
            parts.append([])
            held[line.split] = 0
        parts[-1].append(line)
        held[line.split] += size
    return [
        Shard(split=plain(split), number=number, of=len(parts), lines=part)
        for split, parts in sorted(by_split.items())
        for number, part in enumerate(parts)
    ]


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


def plain(name: str) -> str:
    """A name that is safe as a folder's: letters, digits, dashes and underscores, and never empty."""
    return re.sub(r"[^A-Za-z0-9_]+", "-", name).strip("-")[:60] or "none"


def samples_of(workspace: Workspace, lines: list[Line], left: Counter[str]) -> Iterator[Sample]:
    """The pictures of these lines with their bytes; those that cannot leave any more are counted in `left`."""
    with Drawer() as drawer:
        for line in lines:
            if workspace.store.erased(line.sha256):
                left["erased"] += 1
                continue
            try:
                data = workspace.store.get(line.sha256)
            except NotFound:
                left["its bytes are missing"] += 1
                continue
            kind, drawn = kind_of(data), ""
            if kind == "svg":  # few readers draw it, and it could act by itself
                picture = open_picture(data, workspace.settings.max_pixels, svg_size=SVG_SIDE, draw=drawer.draw)
                data, kind, drawn = as_png(picture), "png", "svg"
            with Image.open(io.BytesIO(data)) as opened:
                width, height = opened.size
            facts = line.model_dump() | {"width": width, "height": height, "drawn_from": drawn}
            facts["attributes"] = json.dumps(line.attributes, ensure_ascii=False, sort_keys=True)
            yield Sample(facts, data, SUFFIXES.get(kind, kind))
