"""The pixel pass: one decoding of a picture, and all that checks of pixels judge it by."""

import hashlib
import io
import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from PIL import Image, ImageOps

from sfumato.data.pictures import Draw, Unusable, kind_of, open_picture

MEASURE = 4  # the edition of this code: what an older one measured is measured again
EVERY = 4  # pixels, of which the colour of one is looked at, each way
WORKING = 256  # pixels of a side at which a picture is judged, so that its resolution does not decide
SOME = 32  # pixels of a side that colours are told by
SMALL = 64  # of the grey that hashes are taken from
MINIATURE = 96  # of the longer side of what a second look compares
GROUND = (128, 128, 128)  # behind what is transparent
FLAT = 0.008  # deviation of grey from a plane, below which hashes tell nothing
CROPS = ((0.1, 0.1), (0.0, 0.0), (0.0, 0.2), (0.2, 0.0), (0.2, 0.2))  # top and left of four fifths of a picture
MIRRORED, CROPPED, TURNED = slice(0, 1), slice(1, 6), slice(6, 9)  # of `more_hashes`
UNREADABLE: dict[str, Any] = {
    "pixels_sha256": "", "brightness": 0.0, "contrast": 0.0, "darkest": 0.0, "lightest": 0.0, "sharpness": 0.0,
    "noise": 0.0, "blocking": 0.0, "information": 0.0, "colourfulness": 0.0, "hue": 0.0, "is_flat": True, "phash": 0,
    "dhash": 0, "more_hashes": [],
}  # fmt: skip


def measure(data: bytes, max_pixels: int, *, draw: Draw | None = None) -> dict[str, Any]:
    """The columns of `Appearance` that tell of the pixels; those of UNREADABLE where they cannot be decoded."""
    return measure_all([data], max_pixels, draw=draw)[0]


def measure_all(
    contents: Iterable[bytes], max_pixels: int, *, draw: Draw | None = None,
    drawn: Callable[[int, np.ndarray], None] | None = None,
) -> list[dict[str, Any]]:  # fmt: skip
    """The same of several pictures, one after the other; what is left of each when it is decoded is judged at once.

    `drawn` is given the miniature of each that had to be drawn, with its place, so that it need not be drawn again.
    """
    looks: list[Look | None] = []
    for place, data in enumerate(contents):
        try:
            seen = decode(data, max_pixels, draw=draw)
            looks.append(look(seen))
        except Unusable:
            looks.append(None)
            continue
        if drawn is not None and kind_of(data) == "svg":
            drawn(place, shrunk(seen.picture))
    clear = [one for one in looks if one is not None]
    judged = iter(judge(clear) if clear else [])
    return [UNREADABLE if one is None else next(judged) for one in looks]


@dataclass(frozen=True)
class Look:
    """What is kept of a picture that was decoded: what needed all pixels, and what the rest is worked out from."""

    values: dict[str, Any]
    counts: list[int]  # of each grey
    small: bytes  # grey, SMALL pixels a side
    colours: bytes  # Y, Cb and Cr of some pixels, SOME a side


def look(seen: "Decoded") -> Look:
    """Go over the pixels of what was decoded: all of its grey, and its colours at some of them."""
    size = seen.picture.size
    raw = seen.picture.tobytes("raw", "Y")
    colours = sampled(seen.picture)
    packed = colours.tobytes()
    shown = Image.frombuffer("L", size, raw, "raw", "L", 0, 1)
    every = 5 if size[1] >= WORKING else 2 if size[1] >= WORKING // 2 else 1  # rows that are counted: one of so many
    counted = Image.frombuffer("L", (size[0], size[1] // every), raw, "raw", "L", size[0] * every, 1)
    grey = np.frombuffer(raw, np.uint8).reshape(size[1], size[0]).astype(np.int16)
    values = {
        "pixels_sha256": seen.pixels_hash(raw, packed), "sharpness": _sharpness(grey), "noise": _noise(grey),
        "blocking": _blocking(grey, seen.grid),
    }  # fmt: skip
    return Look(values, counted.histogram(), _small(shown), _some(colours, packed))


def _some(colours: Image.Image, packed: bytes) -> bytes:
    """SOME pixels a side of a picture that is `packed`, each from the middle of what it stands for."""
    wide, high = colours.width // SOME, colours.height // SOME
    if (colours.width, colours.height) != (wide * SOME, high * SOME):
        return colours.resize((SOME, SOME), Image.Resampling.NEAREST).tobytes()
    pixels = np.frombuffer(packed, np.uint8).reshape(colours.height, colours.width, 3)
    return pixels[high // 2 :: high, wide // 2 :: wide].tobytes()


def sampled(picture: Image.Image) -> Image.Image:
    """Every fourth pixel of every fourth row, so that no block of a JPEG's colours goes unseen; never too few."""
    if min(picture.size) < 4 * EVERY:
        return picture
    return picture.resize((picture.width // EVERY, picture.height // EVERY), Image.Resampling.NEAREST)


def judge(looks: list[Look]) -> list[dict[str, Any]]:
    """The columns of `Appearance` that tell of the pixels, of each."""
    small = np.frombuffer(b"".join(one.small for one in looks), np.uint8).reshape(-1, SMALL, SMALL)
    colours = np.frombuffer(b"".join(one.colours for one in looks), np.uint8).reshape(-1, SOME * SOME, 3)
    columns: dict[str, list[Any]] = {
        **_light(np.array([one.counts for one in looks], np.float64)),
        **_colour(colours), **hashes(small.astype(np.float32)),
    }  # fmt: skip
    rows = zip(*columns.values(), strict=True)
    return [one.values | dict(zip(columns, row, strict=True)) for one, row in zip(looks, rows, strict=True)]


def _small(shown: Image.Image) -> bytes:
    """The grey that hashes are taken from, SMALL pixels a side."""
    if shown.width % SMALL == 0 == shown.height % SMALL:
        return shown.reduce((shown.width // SMALL, shown.height // SMALL)).tobytes()
    return shown.resize((SMALL, SMALL), Image.Resampling.BOX, reducing_gap=1.0).tobytes()


def column_sums(values: np.ndarray) -> np.ndarray:
    """Sums down each column of at most 128 rows of numbers from 0 to 255 held in 16 bits, which hold as many."""
    found: np.ndarray = np.add.reduce(values, axis=0, dtype=np.int16)
    return found


def total(values: np.ndarray) -> int:
    """The sum of the same."""
    return int(column_sums(values).sum(dtype=np.int64))


def apart(n: int) -> int:
    """How far apart the rows lie that stand for `n` of them, 128 at most: oddly, since a JPEG's blocks are even."""
    return max(1, n // 64) | 1


def miniature(data: bytes, max_pixels: int, *, draw: Draw | None = None) -> np.ndarray:
    """The picture as (height, width, 3) of YCbCr, MINIATURE pixels on its longer side. Raises Unusable."""
    return shrunk(decode(data, max_pixels, draw=draw).picture)


def shrunk(picture: Image.Image) -> np.ndarray:
    """A decoded picture as `miniature` gives it."""
    scale = MINIATURE / max(picture.size)
    size = max(2, round(picture.width * scale)), max(2, round(picture.height * scale))
    return np.asarray(picture.resize(size, Image.Resampling.BOX if scale < 1 else Image.Resampling.BILINEAR))


@dataclass(frozen=True)
class Decoded:
    """A picture as YCbCr of about WORKING pixels a side, and the side of a JPEG's block in it, 0 where none is left."""

    picture: Image.Image
    grid: float
    size: tuple[int, int]
    whole: Image.Image

    def pixels_hash(self, raw: bytes, colours: bytes) -> str:
        """A hash of the size and of the pixels as they were decoded; of a JPEG's colours, of the `sampled` ones.

        `raw` and `colours` are the grey and the sampled colours of the picture.
        """
        digest = hashlib.sha256(f"{self.size} {self.whole.mode} {self.whole.size}".encode())
        if self.whole.mode != "YCbCr":
            digest.update(self.whole.tobytes())
        elif self.whole is self.picture:
            digest.update(raw)
            digest.update(colours)
        else:
            digest.update(self.whole.tobytes("raw", "Y"))
            digest.update(sampled(self.whole).tobytes())
        return digest.hexdigest()


def decode(data: bytes, max_pixels: int, *, draw: Draw | None = None) -> Decoded:
    """Decode once, at a fraction of the size where a JPEG allows it; on a neutral ground. Raises Unusable.

    The hash of a JPEG's pixels is of what was decoded, so it compares with those of other JPEGs alone.
    """
    if kind_of(data) == "jpeg":
        whole, size = _jpeg(data, max_pixels)
        picture, grid = whole, 8 * whole.width / size[0]
    else:
        whole = open_picture(data, max_pixels, svg_size=WORKING, draw=draw)
        size, grid = whole.size, 0.0 if kind_of(data) == "svg" else 8.0
        ground = Image.new("RGBA", whole.size, (*GROUND, 255))
        picture = Image.alpha_composite(ground, whole).convert("RGB").convert("YCbCr")
    area = picture.width * picture.height
    if area > 1.6 * WORKING**2:
        scale = WORKING / math.sqrt(area)
        fitted = max(4, round(picture.width * scale)), max(4, round(picture.height * scale))
        picture, grid = picture.resize(fitted, Image.Resampling.BOX, reducing_gap=2.0), 0.0
    if min(picture.size) < 4:
        picture = picture.resize((max(4, picture.width), max(4, picture.height)), Image.Resampling.NEAREST)
    return Decoded(picture, grid, size, whole)


def _jpeg(data: bytes, max_pixels: int) -> tuple[Image.Image, tuple[int, int]]:
    """A JPEG as YCbCr, decoded at the fraction of its size that is enough, and its size."""
    try:
        Image.MAX_IMAGE_PIXELS = max_pixels
        with Image.open(io.BytesIO(data), formats=["JPEG"]) as found:
            size = found.size
            if size[0] * size[1] > max_pixels:
                raise Unusable("too large", f"{size[0]} × {size[1]} pixels, more than the {max_pixels:,} allowed")
            found.draft("YCbCr", (WORKING, WORKING))
            found.decodermaxblock = len(data)  # all of it at once: it is in memory anyway
            found.load()
            upright = ImageOps.exif_transpose(found) if "exif" in found.info else found
            size = size if upright.size == found.size else (size[1], size[0])
            return upright if upright.mode == "YCbCr" else upright.convert("RGB").convert("YCbCr"), size
    except Unusable:
        raise
    except Exception as problem:  # whatever a decoder stumbles over, it is the file's fault
        raise Unusable("corrupt", f"it cannot be decoded ({problem})") from problem


LEVELS = np.arange(256) / 255
MOMENTS = np.stack([LEVELS, LEVELS**2], 1)


def _light(counts: np.ndarray) -> dict[str, list[Any]]:
    """Brightness, contrast, percentiles and entropy, all of them from how often each grey is there: (n, 256)."""
    n = counts.sum(1)
    mean, square = (counts @ MOMENTS).T / n
    up_to = counts.cumsum(1)
    dark, light = ((up_to < share * n[:, None]).sum(1) / 255 for share in (0.05, 0.95))
    rest = (counts * np.log2(np.maximum(counts, 1))).sum(1) / n
    return {
        "brightness": mean.tolist(), "contrast": np.sqrt(np.maximum(square - mean * mean, 0)).tolist(),
        "darkest": dark.tolist(), "lightest": light.tolist(),
        "information": np.maximum(0, np.log2(n) - rest).round(9).tolist(),
    }  # fmt: skip


def _sharpness(grey: np.ndarray) -> float:
    """How much steepness a blur of nine pixels would take away, 0 to 1 (Crete et al. 2007); flat parts say nothing.

    Of `grey` (height, width), in rows that are `apart`.
    """
    high, wide = grey.shape
    if min(high, wide) < 12:
        return 0.0
    every = apart(high)
    rows, found, nine = grey[::every], 0.0, np.int16(9)  # nine times a step, beside the way that nine steps go
    above, below = grey[4 : high - 5 : every], grey[5 : high - 4 : every]
    for steps, way in (
        (below - above, grey[9::every] - grey[: high - 9 : every]),
        (rows[:, 5:-4] - rows[:, 4:-5], rows[:, 9:] - rows[:, :-9]),
    ):  # fmt: skip
        np.abs(steps, out=steps)
        lost = steps * nine
        np.minimum(lost, np.abs(way, out=way), out=lost)
        whole = 9 * total(steps)
        found = max(found, 1 - total(lost) / whole if whole else 0.0)
    return found


def _noise(grey: np.ndarray) -> float:
    """The deviation of noise, 0 to 1, by the quietest quarter of blocks (after Immerkær 1996).

    The blocks are those of every second band of sixteen rows, where there are enough of them.
    """
    high, wide = (grey.shape[0] - 2) // 16, (grey.shape[1] - 2) // 16
    if high < 2 or wide < 2:
        return 0.0
    if high >= 8:
        bands = grey[: high // 2 * 32].reshape(high // 2, 32, -1)[:, :18, : wide * 16 + 2]
    else:
        bands = np.lib.stride_tricks.sliding_window_view(grey, 18, axis=0)[::16].transpose(0, 2, 1)
        bands = bands[:high, :, : wide * 16 + 2]
    slopes = bands[..., 1:] - bands[..., :-1]
    bends = slopes[..., 1:] - slopes[..., :-1]
    turns = bends[:, 1:] - bends[:, :-1]
    rough = turns[:, 1:] - turns[:, :-1]
    np.abs(rough, out=rough)  # at most 8 · 255, sixteen of which fit into 16 bits
    rows = np.add.reduce(rough, axis=1, dtype=np.int16)
    blocks = np.sort(rows.reshape(len(bands), wide, 16).sum(2, dtype=np.int32), axis=None)
    return float(blocks[blocks.size // 4]) / 256 * math.sqrt(math.pi / 2) / 6 / 255


def _blocking(grey: np.ndarray, grid: float) -> float:
    """How much steeper steps are on the grid of a JPEG's blocks than beside it, 0 to 1; 0 where no grid is left.

    By the middle one of the grid's lines: all of them stand out in a JPEG, and few in a drawing that has some edges.
    """
    side = round(grid)
    if side not in (2, 4, 8) or abs(grid - side) > 0.01 or min(grey.shape) < 4 * side + 1:
        return 0.0
    found = 1.0
    rows, columns = grey[:: apart(len(grey))], np.ascontiguousarray(grey[:, :: apart(grey.shape[1])])
    for steps, along in ((rows[:, 1:] - rows[:, :-1], 0), (columns[1:] - columns[:-1], 1)):
        n = steps.shape[along]
        lines = np.add.reduce(np.abs(steps, out=steps), axis=along, dtype=np.int16).astype(np.int64)
        on = np.sort(lines[side - 1 :: side])
        edge = int(on[len(on) // 2]) / n
        beside = int(lines.sum() - on.sum()) / (len(lines) - len(on)) / n
        found = min(found, (edge - beside) / (edge + beside + 1.0))
    return max(0.0, found)


def _colour(pixels: np.ndarray) -> dict[str, list[Any]]:
    """Colourfulness (Hasler and Süsstrunk 2003, by 255) and the hue of the mean colour; of YCbCr, (n, pixels, 3)."""
    planes = pixels.transpose(2, 0, 1).astype(np.float32, order="C")
    planes[1:] -= 128
    count = pixels.shape[1]  # of which sums of squares are whole numbers that 32 bits still hold
    luma, blue, red = planes.sum(2).astype(np.float64) / count
    products = (np.einsum("ij,ij->i", planes[one], planes[other]) for one, other in ((1, 1), (1, 2), (2, 2)))
    bb, br, rr = (one.astype(np.float64) / count for one in products)
    bb, br, rr = bb - blue * blue, br - blue * red, rr - red * red
    first, second = 2.116 * red + 0.344 * blue, 0.344 * red - 1.944 * blue  # R - G, and (R + G) / 2 - B
    spread = 2.116**2 * rr + 0.344**2 * bb + 2 * 2.116 * 0.344 * br
    spread += 0.344**2 * rr + 1.944**2 * bb - 2 * 0.344 * 1.944 * br
    mean = np.stack([luma + 1.402 * red, luma - 0.344 * blue - 0.714 * red, luma + 1.772 * blue], 1)
    most = mean.argmax(1)
    each, width = np.arange(len(mean)), mean.max(1) - mean.min(1)
    apart = mean[each, (most + 1) % 3] - mean[each, (most + 2) % 3]
    hue = np.where(width > 1, (apart / np.maximum(width, 1) + 2 * most) / 6 % 1.0, 0.0)
    colourfulness = (np.sqrt(np.maximum(spread, 0)) + 0.3 * np.hypot(first, second)) / 255
    return {"colourfulness": colourfulness.tolist(), "hue": hue.tolist()}


@cache
def _cells(n: int, start: float = 0.0, length: float = 1.0) -> np.ndarray:
    """Weights (n, SMALL) that average a stretch of a side into `n` cells of equal width."""
    edges = (start + length * np.arange(n + 1) / n) * SMALL
    low, high = edges[:-1, None], edges[1:, None]
    pixel = np.arange(SMALL)
    share = (np.minimum(high, pixel + 1) - np.maximum(low, pixel)).clip(0)
    return (share / share.sum(1, keepdims=True)).astype(np.float32)


@cache
def _waves() -> np.ndarray:
    """The eight lowest cosines of a side, (8, SMALL)."""
    pixel = np.arange(SMALL) + 0.5
    return np.cos(np.pi / SMALL * pixel * np.arange(8)[:, None]).astype(np.float32)


@cache
def _plane() -> np.ndarray:
    """A basis of length one of all planes over 16 by 16 cells, (256, 3)."""
    side = np.linspace(-1, 1, 16)
    basis = np.stack([np.ones(256), np.repeat(side, 16), np.tile(side, 16)], 1)
    return (basis / np.linalg.norm(basis, axis=0)).astype(np.float32)


def hashes(small: np.ndarray) -> dict[str, list[Any]]:
    """Hashes of grey pictures (n, SMALL, SMALL), of their mirror images, crops and turns; whether they tell.

    Those of a picture do not depend on what others are beside it.
    """
    n = len(small)
    down = _down() @ small
    rest = (down[:, 17:33] @ _cells(16).T).reshape(n, 256, 1)
    rest -= _plane() @ (_plane().T @ rest)
    lying, standing = down[:, :8] @ _cells(9).T, (down[:, 8:17] @ _cells(8).T).transpose(0, 2, 1)
    cells = np.empty((n, 10, 8, 9), np.float32)
    for place, one in (
        (0, lying), (1, lying[..., ::-1]), (7, standing[:, ::-1]), (8, lying[:, ::-1, ::-1]), (9, standing[..., ::-1]),
    ):  # fmt: skip
        cells[:, place] = one
    np.matmul(down[:, 41:].reshape(n, len(CROPS), 8, SMALL), _crops(), out=cells[:, 2:7])
    told = np.packbits((cells[..., 1:] > cells[..., :-1]).reshape(n, 10, 64), axis=2).view(">i8")[..., 0]
    waves = (down[:, 33:41] @ _waves().T).reshape(n, 64)
    middle = np.partition(waves[:, 1:], 31, axis=1)[:, 31:32]
    flat = np.sqrt((rest * rest).sum((1, 2)) / 256) / 255 < FLAT
    return {
        "is_flat": flat.tolist(), "dhash": told[:, 0].tolist(),
        "phash": np.packbits(waves > middle, axis=1).view(">i8")[:, 0].tolist(), "more_hashes": told[:, 1:].tolist(),
    }  # fmt: skip


@cache
def _down() -> np.ndarray:
    """All that sums down the columns, (81, SMALL): eight, nine and sixteen cells, waves, and the cells of each crop."""
    crops = [_cells(8, top, 0.8) for top, _ in CROPS]
    return np.concatenate([_cells(8), _cells(9), _cells(16), _waves(), *crops])


@cache
def _crops() -> np.ndarray:
    """Weights that average the cells of each crop across, (5, SMALL, 9)."""
    return np.stack([_cells(9, left, 0.8).T for _, left in CROPS])
