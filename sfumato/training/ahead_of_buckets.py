"""What becomes of pictures' shapes, told before a run on somebody else's model: buckets, and what is cropped away."""

import base64
import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from PIL import Image

from sfumato.data.pictures import open_picture
from sfumato.data.versions import FrozenVersion, ItemLine
from sfumato.training.ahead import Bucket, Cut, Fact, weighted
from sfumato.training.buckets import NOTHING, Fit, Place, Shape, draw

DRAWN_AT = 128  # pixels at which a drawing was measured when it was collected: it has no size of its own
NAMED, CUTS = 3, 8  # pictures that a fact names, and that are shown with what is lost of them
WHOLE = 160  # pixels of a picture that is shown with its crop
LARGER = 2.0  # times from which on what is made larger is named


@dataclass(frozen=True)
class Laid:
    """The pictures of a version, and the place of each in the shape that the network sees."""

    version: FrozenVersion
    lines: list[ItemLine]
    places: list[Place]
    fit: Fit

    @property
    def one_shape(self) -> bool:
        """Whether all pictures become the same shape, and come in the order of every other run."""
        return len({one.shape for one in self.places}) == 1


def lay(version: FrozenVersion, lines: list[ItemLine], sides: Sequence[tuple[int, int]], fit: Fit) -> Laid:
    """Find the place of each picture, as its run will.

    `sides` are width and height as they were written down; where nobody knows, and of drawings that have no size of
    their own, the picture itself says.
    """
    places = []
    for line, (width, height) in zip(lines, sides, strict=True):
        known = min(width, height) > 0 and max(width, height) != DRAWN_AT
        places.append(fit.place(*((width, height) if known else _opened(version, line, fit).size)))
    return Laid(version, lines, places, fit)


def _opened(version: FrozenVersion, line: ItemLine, fit: Fit) -> Image.Image:
    most = version.workspace.settings.max_pixels
    return open_picture(version.read_bytes(line), most, svg_size=max(*fit.shapes[0], DRAWN_AT))


def table_of(laid: Laid, train: np.ndarray) -> list[Bucket]:
    """The buckets that have pictures, the fullest first."""
    rows: dict[Shape, list[int]] = {}
    for row, place in enumerate(laid.places):
        rows.setdefault(place.shape, []).append(row)
    learnt, found = {int(row) for row in train}, []
    for (height, width), own in rows.items():
        seen = [laid.places[row] for row in own if row in learnt]
        lost = sum(one.cropped for one in seen) / max(len(seen), 1)
        found.append(Bucket(
            width, height, len(seen), round(len(seen) / len(learnt), 4), len(own) - len(seen), round(lost, 4),
            sum(one.padded for one in seen),
        ))  # fmt: skip
    return sorted(found, key=lambda one: (-one.pictures, one.width / one.height))


def facts_of(laid: Laid, train: np.ndarray, batch: int) -> list[Fact]:
    """What is cropped, put on ground, made larger or repeated of all pictures, and why; none is left out."""
    size, name = laid.fit.shapes[0][0], laid.fit.name
    cropped = [row for row, one in enumerate(laid.places) if one.cropped > NOTHING]
    padded = [row for row, one in enumerate(laid.places) if one.padded]
    smaller = [row for row, one in enumerate(laid.places) if one.scale < 1 - NOTHING]
    larger = [row for row, one in enumerate(laid.places) if one.scale > 1 + NOTHING]
    far = [row for row in larger if laid.places[row].scale > LARGER]
    why = {
        "whole": f"a picture is fitted whole into a square of {size} pixels; --fit buckets lays less ground around it",
        "crop": f"to a square of {size} pixels at the centre",
        "buckets": "to the nearest bucket at the centre",
    }[name]
    if cropped:
        mean = float(np.mean([laid.places[row].cropped for row in cropped]))
        why += f"; {mean:.1%} of each is lost on average, most of {_worst(laid, cropped, _lost)}"
    ground = "empty ground is put around them"
    if name == "buckets":
        ground += f", since more than {laid.fit.limit:.0%} would be lost: {_named(laid, padded)}"
    grown = "they gain no detail, a smaller size learns faster"
    if far:
        grown += f"; {len(far):,} more than {LARGER:g} times, most {_worst(laid, far, _grown)}"
    found = [
        Fact("cropped", len(cropped), why), Fact("fitted whole", len(padded), ground),
        Fact("made smaller", len(smaller), "to the pixels of their shape"), Fact("made larger", len(larger), grown),
        *(_of_batches(laid, train, batch) if name == "buckets" else []),
    ]  # fmt: skip
    return [one for one in found if one.count or one.what == "cropped"]


def _of_batches(laid: Laid, train: np.ndarray, batch: int) -> list[Fact]:
    """How many pictures a bucket has beside a batch, which holds one bucket only."""
    table = [one for one in table_of(laid, train) if one.pictures]
    few = [one for one in table if one.pictures < batch]
    said = ", ".join(f"{one.width} × {one.height} has {one.pictures}" for one in few[:NAMED])
    return [
        Fact("buckets", len(table), "a batch holds pictures of one; what fills none goes into the next time around"),
        *([Fact("repeated in a batch", sum(one.pictures for one in few),
                f"buckets with fewer pictures than a batch of {batch:,}, which comes the more seldom: {said}")]
          if few else []),
    ]  # fmt: skip


def by_turns(weights: np.ndarray) -> list[Fact]:
    """How often pictures are drawn beside each other where a batch holds one bucket only."""
    if np.ptp(weights):
        return weighted(weights)
    why = "each as often as the others; at any time one bucket may be a batch ahead of another"
    return [Fact("drawn alike", len(weights), why)]


def _lost(place: Place) -> float:
    return place.cropped


def _grown(place: Place) -> float:
    return place.scale


def _worst(laid: Laid, rows: list[int], by: Callable[[Place], float]) -> str:
    """The pictures of which something is most, with how much it is."""
    ranked = sorted(rows, key=lambda row: (-by(laid.places[row]), row))[:NAMED]
    how = "{:.1%}" if by is _lost else "{:.1f} times"
    return ", ".join(f"{laid.lines[row].name} ({how.format(by(laid.places[row]))})" for row in ranked)


def _named(laid: Laid, rows: list[int]) -> str:
    more = f" and {len(rows) - NAMED:,} more" if len(rows) > NAMED else ""
    return ", ".join(laid.lines[row].name for row in rows[:NAMED]) + more


def cuts_of(laid: Laid) -> list[Cut]:
    """The pictures that lose most, whole and small, and in shares of their sides the rectangle that is kept."""
    rows = [row for row, one in enumerate(laid.places) if one.cropped > NOTHING]
    ranked = sorted(rows, key=lambda row: (-laid.places[row].cropped, row))[:CUTS]
    return [_cut(laid, row) for row in ranked]


def _cut(laid: Laid, row: int) -> Cut:
    place = laid.places[row]
    whole = _on_white(np.asarray(_small(_opened(laid.version, laid.lines[row], laid.fit), WHOLE)))
    (width, height), (left, top, right, bottom) = place.side, place.box
    kept = (left / width, top / height, (right - left) / width, (bottom - top) / height)
    return Cut(
        laid.lines[row].name, *place.side, place.shape[1], place.shape[0], round(place.cropped, 4),
        [round(one, 4) for one in kept], whole.width, whole.height, _png(whole),
    )  # fmt: skip


def as_seen(laid: Laid, row: int, most: int, *, mirrored: bool) -> str:
    """The picture of a row as it goes in, its longer side at most so many pixels, on white as PNG in base64."""
    place = laid.places[row]
    premultiplied = draw(_opened(laid.version, laid.lines[row], laid.fit), place)
    values = premultiplied.astype(np.float32)
    white = Image.fromarray((values[..., :3] + 255 - values[..., 3:]).clip(0, 255).astype(np.uint8))
    if mirrored:
        white = white.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    return _png(_small(white, most))


def _small(picture: Image.Image, most: int) -> Image.Image:
    share = min(1.0, most / max(picture.size))
    sides = max(1, round(picture.width * share)), max(1, round(picture.height * share))
    return picture if sides == picture.size else picture.resize(sides, Image.Resampling.BOX)


def _on_white(values: Any) -> Image.Image:
    alpha = values[..., 3:].astype(np.float32) / 255
    return Image.fromarray((values[..., :3] * alpha + 255 * (1 - alpha)).round().astype(np.uint8))


def _png(picture: Image.Image) -> str:
    out = io.BytesIO()
    picture.save(out, "PNG")
    return base64.b64encode(out.getvalue()).decode()
