"""Reading what was measured of all kept pictures, in as little memory as it takes."""

import json
import tempfile
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from typing import Any

import numpy as np
from sqlalchemy import select

from sfumato.actions import Workspace
from sfumato.data.appearance import MEASURE, miniature
from sfumato.data.freeze import split_of
from sfumato.data.packed import Growing, Hexes, Waiting, Words, alike, packed, packed_ids
from sfumato.data.pictures import Draw, Unusable
from sfumato.data.records import KEPT, Appearance, Item
from sfumato.data.scan import Table
from sfumato.data.second_look import PACKED, Small
from sfumato.errors import Gone, NotFound
from sfumato.store import Store
from sfumato.store.rows import Rows

NUMBERS = (
    "file_bytes", "brightness", "contrast", "darkest", "lightest", "sharpness", "noise", "blocking", "information",
    "colourfulness", "hue",
)  # fmt: skip
HASHES = ("phash", "dhash")
MORE = 9  # of `more_hashes`
WORDS = ("source", "given_split", "family")
PAGE = 1_000  # rows that are read at once
SMALL_ONES = 2_048  # pictures that are held small, 4 kB each


class Columns(dict[str, Any]):
    """Columns by name; some are made only when somebody asks for them, together with those beside them."""

    def __init__(self, plain: dict[str, Any], later: dict[tuple[str, ...], Callable[[], dict[str, Any]]]) -> None:
        super().__init__(plain)
        self.later = later

    def __missing__(self, name: str) -> Any:
        for names, make in self.later.items():
            if name in names:
                self.update(make())
                return self[name]
        raise KeyError(name)


def read_table(workspace: Workspace, dataset_id: str, draw: Draw) -> Table:
    """What was measured of all kept pictures, as they were at this moment.

    Held are about 110 bytes a picture; numbers, hashes and things wait in files until a check asks for them.
    """
    folder = workspace.path / "tmp"
    held = {name: bytearray() for name in ("id", "sha256", "pixels", "sizes", "marks")}
    words = [Growing() for _ in WORDS]
    numbers, hashes = Waiting(folder, "f4", len(NUMBERS)), Waiting(folder, "i8", len(HASHES) + MORE)
    things = tempfile.TemporaryFile("w+", dir=folder, encoding="utf-8")  # noqa: SIM115  # it goes with the table
    for page in _pages(workspace, dataset_id):
        ids, sha256, source, given, family, width, height, alpha, concept, style, pixels, flat, more, *rest = page
        held["id"] += packed_ids(ids)
        held["sha256"] += packed(sha256)
        held["pixels"] += packed(pixels)
        held["sizes"] += np.array([width, height], np.int32).T.tobytes()
        held["marks"] += np.array([alpha, flat], bool).T.tobytes()
        for column, texts in zip(words, (source, given, family), strict=True):
            column.add(texts)
        none = [0] * MORE
        hashes.add([[*two, *(others or none)] for *two, others in zip(*rest[: len(HASHES)], more, strict=True)])
        numbers.add(list(zip(*rest[len(HASHES) :], strict=True)))
        things.writelines(json.dumps(both) + "\n" for both in zip(concept, style, strict=True))
    table_ids = Hexes(np.frombuffer(held["id"], np.uint8).reshape(-1, 16), ids=True)
    content, seen = (Hexes(np.frombuffer(held[name], np.uint8).reshape(-1, 32)) for name in ("sha256", "pixels"))
    sizes = np.frombuffer(held["sizes"], np.int32).reshape(-1, 2)
    marks = np.frombuffer(held["marks"], bool).reshape(-1, 2)
    plain = {"width": sizes[:, 0], "height": sizes[:, 1], "has_alpha": marks[:, 0], "is_flat": marks[:, 1]}

    def hashed() -> dict[str, Any]:
        whole = hashes.whole().view(np.uint64)
        return {"phash": whole[:, 0], "dhash": whole[:, 1], "more_hashes": whole[:, len(HASHES) :]}

    later: dict[tuple[str, ...], Callable[[], dict[str, Any]]] = {
        NUMBERS: lambda: dict(zip(NUMBERS, numbers.whole().T, strict=True)), (*HASHES, "more_hashes"): hashed,
        ("split",): lambda: {"split": _splits(things, content)},
    }  # fmt: skip
    named = dict(zip(WORDS, (one.whole() for one in words), strict=True))
    return Table(table_ids, content, seen, Columns({**plain, **named}, later), _small(workspace, draw))


def _pages(workspace: Workspace, dataset_id: str) -> Iterator[Sequence[tuple[Any, ...]]]:
    """The columns of one page after the other, in the order of ids; the pages are of one moment."""
    own = (Item.id, Item.sha256, *(getattr(Item, name) for name in WORDS), Item.width, Item.height, Item.has_alpha)
    seen = (Appearance.pixels_sha256, Appearance.is_flat, Appearance.more_hashes)
    statement = (
        select(
            *own, Item.concept, Item.style, *seen, *(getattr(Appearance, name) for name in (*HASHES, *NUMBERS)),
        )
        .join(Appearance, Appearance.item_id == Item.id)
        .where(Item.dataset_id == dataset_id, Item.state == KEPT)
        .order_by(Item.id)
    )  # fmt: skip
    with workspace.read() as session:
        for page in session.execute(statement.execution_options(yield_per=PAGE)).partitions():
            yield list(zip(*page, strict=True))


def _splits(things: Any, content: Hexes) -> Words:
    """Where each would be frozen to; a picture of no thing is a thing of its own, with those of the same bytes."""
    twice = np.zeros(len(content), bool)  # whose bytes are there again
    order, starts = alike(content.values)
    lengths = np.diff([*starts, len(order)])
    twice[order[np.repeat(lengths > 1, lengths)]] = True
    styles: dict[str, set[str]] = defaultdict(set)

    def each() -> Iterator[tuple[str, str]]:
        things.seek(0)
        for place, line in enumerate(things):
            concept, style = json.loads(line)
            yield concept or content[place], style

    for place, (concept, style) in enumerate(each()):
        if twice[place] or concept != content[place]:
            styles[concept].add(style)
    found = Growing()
    found.add([split_of(concept, style, styles if concept in styles else {concept: {style}})
               for concept, style in each()])  # fmt: skip
    return found.whole()


def _small(workspace: Workspace, draw: Draw) -> Callable[[str], Small]:
    """What opens a picture small by the hash of its bytes; those of late are held."""
    rows = small_ones(workspace)

    @lru_cache(maxsize=SMALL_ONES)
    def held(wanted: str) -> np.ndarray:
        known, values = rows.find([wanted])
        if known[0]:
            found: np.ndarray = values[0].view(np.uint8)
            return found
        data = bytes_of(workspace.store, wanted)
        if not data:
            raise Unusable("missing", "its bytes are not in the store")
        return Small.of(miniature(data, workspace.settings.max_pixels, draw=draw)).packed()

    return lambda wanted: Small.unpacked(held(wanted))


def small_ones(workspace: Workspace) -> Rows:
    """Where what had to be drawn is kept small: drawing takes a hundred times as long as decoding."""
    return Rows(workspace.path / "cache" / "scores" / f"small-{MEASURE}", PACKED // 2)


def keep_small(rows: Rows, drawn: dict[str, Small]) -> None:
    """Add pictures to those that are kept small; the rows have two bytes in each of their numbers."""
    rows.append(list(drawn), np.stack([one.packed() for one in drawn.values()]).view(np.float16))


def bytes_of(store: Store, sha256: str) -> bytes | None:
    """Kept bytes, none of them where the file is missing, None where it was erased."""
    try:
        return store.get(sha256)
    except Gone:
        return None
    except NotFound:
        return b""
