"""Numbers that a network says of pictures: each picture is read once, and what was said is kept by its content's hash.

A scorer is the same for features and for the checks that look; its numbers stay good until its edition changes.
"""

import io
import os
import threading
import time
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
from PIL import Image, ImageOps

from sfumato.actions import Workspace
from sfumato.data.drawing import Drawer
from sfumato.data.pictures import Unusable, kind_of, open_picture
from sfumato.errors import NotFound
from sfumato.jobs import Progress
from sfumato.store.rows import Rows

BATCH = 64  # pictures that are read together, and kept together


@dataclass(frozen=True)
class Scorer:
    """How pictures get their numbers: `prepare` one, opaque, in a thread; `run` a list of them, (n, width)."""

    edition: str  # names the folder of what is kept; another one whenever the numbers would differ
    width: int
    side: int  # a picture much larger than this may be read smaller
    prepare: Callable[[Image.Image], Any]
    run: Callable[[list[Any]], np.ndarray]
    noun: str = "pictures"


def kept_rows(workspace: Workspace, scorer: Scorer) -> Rows:
    """What this scorer has said so far, by content hash."""
    return Rows(workspace.path / "cache" / "scores" / scorer.edition, scorer.width)


def watch(workspace: Workspace, scorer: Scorer, sha256s: Sequence[str]) -> Generator[Progress, None, np.ndarray]:
    """Yield progress with its rate and return the numbers (n, width) float32, zeros for what cannot be seen."""
    rows = kept_rows(workspace, scorer)
    known, _ = rows.find(sha256s)
    missing = list(dict.fromkeys(sha256 for sha256, there in zip(sha256s, known, strict=True) if not there))
    parts = [missing[start : start + BATCH] for start in range(0, len(missing), BATCH)]
    before, began, done = len(set(sha256s)) - len(missing), time.monotonic(), 0
    yield Progress(before, before + len(missing), scorer.noun, "looking at pictures")
    with Drawer() as drawer, ThreadPoolExecutor(_threads()) as pool:
        eye = _Eye(workspace, scorer, drawer)
        coming = [pool.submit(eye.read, one) for one in parts[0]] if parts else []
        for number, part in enumerate(parts):
            seen = [one.result() for one in coming]
            coming = [pool.submit(eye.read, one) for one in parts[number + 1]] if number + 1 < len(parts) else []
            rows.append(*_scored(scorer, part, seen))
            done += len(part)
            rate = done / max(time.monotonic() - began, 1e-9)
            told = {"images_per_second": rate}
            yield Progress(before + done, before + len(missing), scorer.noun, "looking at pictures", told)
    rows.reload()
    return rows.find(sha256s)[1].astype(np.float32)


def scores_of(
    workspace: Workspace, scorer: Scorer, sha256s: Sequence[str], progress: Callable[[Progress], None] | None = None
) -> np.ndarray:
    """The same for whoever is no job: the numbers (n, width) float32; `progress` hears how far it is."""
    steps = watch(workspace, scorer, sha256s)
    while True:
        try:
            step = next(steps)
        except StopIteration as finished:
            return finished.value
        if progress is not None:
            progress(step)


def _threads() -> int:
    return min(4, len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 2)


def _scored(scorer: Scorer, sha256s: list[str], seen: list[Any]) -> tuple[list[str], np.ndarray]:
    """The hashes that get a row, and their numbers; one that is not in the store gets none and is tried again."""
    there = [place for place, one in enumerate(seen) if one is not GONE]
    values = np.zeros((len(there), scorer.width), np.float32)
    shown = [row for row, place in enumerate(there) if seen[place] is not None]
    if shown:
        values[shown] = scorer.run([seen[there[row]] for row in shown])
    return [sha256s[place] for place in there], values


GONE = object()


class _Eye:
    """Reads kept pictures in several threads; SVGs are drawn one at a time."""

    def __init__(self, workspace: Workspace, scorer: Scorer, drawer: Drawer) -> None:
        self.workspace, self.scorer, self.drawer, self.turn = workspace, scorer, drawer, threading.Lock()

    def read(self, sha256: str) -> Any:
        """What the scorer prepares of a picture; None for one that cannot be decoded, GONE for one not in the store."""
        try:
            data = self.workspace.store.get(sha256)
        except NotFound:
            return GONE
        try:
            picture = opaque(data, self.workspace.settings.max_pixels, self.scorer.side, self._draw)
            return self.scorer.prepare(picture)
        except Unusable:
            return None

    def _draw(self, svg: str, size: int) -> Image.Image:
        with self.turn:
            return self.drawer.draw(svg, size)


def opaque(
    data: bytes, max_pixels: int, side: int, draw: Callable[[str, int], Image.Image] | None = None
) -> Image.Image:
    """A picture on white, RGB, upright; a large JPEG is decoded smaller, to no less than `side`. Raises Unusable."""
    if kind_of(data) == "jpeg":
        return _opaque_jpeg(data, max_pixels, side)
    picture = open_picture(data, max_pixels, svg_size=side, draw=draw)
    white = Image.new("RGBA", picture.size, "white")
    white.alpha_composite(picture)
    return white.convert("RGB")


def _opaque_jpeg(data: bytes, max_pixels: int, side: int) -> Image.Image:
    try:
        with Image.open(io.BytesIO(data), formats=["JPEG"]) as found:
            if found.width * found.height > max_pixels:
                raise Unusable("too large", f"{found.width} × {found.height} pixels, {max_pixels:,} are allowed")
            found.draft("RGB", (side, side))
            return ImageOps.exif_transpose(found).convert("RGB")
    except Unusable:
        raise
    except Exception as problem:  # whatever the decoder stumbles over, it is the file's fault
        raise Unusable("corrupt", f"it cannot be decoded ({problem})") from problem
