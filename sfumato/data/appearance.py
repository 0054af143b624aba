"""The pixel pass: one decoding of a picture, and all that checks of pixels judge it by."""

import hashlib
import io
import math
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from PIL import Image, ImageOps

from sfumato.data.pictures import Draw, Unusable, kind_of, open_picture

MEASURE = 2  # the edition of this code: what an older one measured is measured again
WORKING = 256  # pixels of a side at which a picture is judged, so that its resolution does not decide
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
    try:
        seen = decode(data, max_pixels, draw=draw)
    except Unusable:
        return UNREADABLE
    return judge(seen)


def judge(seen: "Decoded") -> dict[str, Any]:
    """The columns of `Appearance` that tell of the pixels of what was decoded."""
    raw = seen.planes(seen.picture)
    size = seen.picture.height, seen.picture.width
    luma, blue, red = (np.frombuffer(one, np.uint8).reshape(size) for one in raw)
    shown = Image.frombuffer("L", seen.picture.size, raw[0], "raw", "L", 0, 1)
    grey = luma.astype(np.int16)
    slopes = grey[1:] - grey[:-1], grey[:, 1:] - grey[:, :-1]
    down, across = np.abs(slopes[0]), np.abs(slopes[1])
    columns = column_sums(across)
    return {
        "pixels_sha256": seen.pixels_hash(raw), **_light(shown),
        "sharpness": _sharpness(grey, down, across, columns), "noise": _noise(slopes[1]),
        "blocking": _blocking(down, columns, size, seen.grid), **_colour(luma, blue, red), **hashes(_small(shown)),
    }  # fmt: skip


def _small(shown: Image.Image) -> np.ndarray:
    """The grey that hashes are taken from, (SMALL, SMALL)."""
    if shown.width % SMALL == 0 == shown.height % SMALL:
        shown = shown.reduce((shown.width // SMALL, shown.height // SMALL))
    else:
        shown = shown.resize((SMALL, SMALL), Image.Resampling.BOX, reducing_gap=1.0)
    return np.frombuffer(shown.tobytes(), np.uint8).reshape(SMALL, SMALL).astype(np.float32)


def column_sums(values: np.ndarray) -> np.ndarray:
    """Sums down each column of numbers from 0 to 255 held in 16 bits, which hold 128 of them."""
    found = np.zeros(values.shape[1], np.int32)
    for top in range(0, len(values), 128):
        found += np.add.reduce(values[top : top + 128], axis=0, dtype=np.int16)
    return found


def total(values: np.ndarray) -> int:
    """The sum of numbers from 0 to 255 held in 16 bits."""
    return int(column_sums(values).sum())


def miniature(data: bytes, max_pixels: int, *, draw: Draw | None = None) -> np.ndarray:
    """The picture as (height, width, 3) of YCbCr, MINIATURE pixels on its longer side. Raises Unusable."""
    picture = decode(data, max_pixels, draw=draw).picture
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

    def planes(self, picture: Image.Image) -> list[bytes]:
        """The bytes of Y, Cb and Cr, each row by row."""
        return [picture.tobytes("raw", band) for band in ("Y", "Cb", "Cr")]

    def pixels_hash(self, raw: list[bytes]) -> str:
        """A hash of the size and of the pixels as they were decoded; `raw` are the planes of the picture."""
        digest = hashlib.sha256(f"{self.size} {self.whole.mode} {self.whole.size}".encode())
        if self.whole is not self.picture:
            raw = self.planes(self.whole) if self.whole.mode == "YCbCr" else [self.whole.tobytes()]
        for plane in raw:
            digest.update(plane)
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
        size, grid = whole.size, 8.0
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


def _light(luma: Image.Image) -> dict[str, Any]:
    """Brightness, contrast, percentiles and entropy, all of them from the histogram."""
    counts = np.array(luma.histogram(), np.float64)
    n = luma.width * luma.height
    mean, square = (counts @ MOMENTS / n).tolist()
    dark, light = (counts.cumsum().searchsorted([0.05 * n, 0.95 * n]) / 255).tolist()
    return {
        "brightness": mean, "contrast": math.sqrt(max(square - mean * mean, 0.0)), "darkest": dark, "lightest": light,
        "information": max(0.0, math.log2(n) - float(counts @ np.log2(np.maximum(counts, 1))) / n),
    }  # fmt: skip


def _sharpness(grey: np.ndarray, down: np.ndarray, across: np.ndarray, columns: np.ndarray) -> float:
    """How much steepness a blur of nine pixels would take away, 0 to 1 (Crete et al. 2007); flat parts say nothing.

    Of `grey` (height, width): steps `down` and `across`, and the sums of the latter by column.
    """
    if min(grey.shape) < 12:
        return 0.0
    found = 0.0
    nine = np.int16(9)  # nine times a step, beside the way that nine steps go
    some, sides = grey[::2], across[::2, 4:-4]
    for steps, ways in ((down[4:-4], grey[9:] - grey[:-9]), (sides, some[:, 9:] - some[:, :-9])):
        lost = steps * nine
        np.minimum(lost, np.abs(ways, out=ways), out=lost)
        whole = 9 * total(steps)
        found = max(found, 1 - total(lost) / whole if whole else 0.0)
    return found


def _noise(slopes: np.ndarray) -> float:
    """The deviation of noise, 0 to 1, by the quietest quarter of blocks (after Immerkær 1996); from steps across."""
    high, wide = (slopes.shape[0] - 2) // 16, (slopes.shape[1] - 1) // 16
    if high < 2 or wide < 2:
        return 0.0
    part = slopes[: high * 16 + 2, : wide * 16 + 1]
    bends = part[:, 1:] - part[:, :-1]
    turns = bends[1:] - bends[:-1]
    rough = turns[1:] - turns[:-1]
    np.abs(rough, out=rough)  # at most 8 · 255, sixteen of which fit into 16 bits
    rows = np.add.reduce(rough.reshape(high, 16, wide * 16), axis=1, dtype=np.int16)
    blocks = np.sort(rows.reshape(high, wide, 16).sum(2, dtype=np.int32), axis=None)
    return float(blocks[blocks.size // 4]) / 256 * math.sqrt(math.pi / 2) / 6 / 255


def _blocking(down: np.ndarray, columns: np.ndarray, shape: tuple[int, int], grid: float) -> float:
    """How much steeper steps are on the grid of a JPEG's blocks than beside it, 0 to 1; 0 where no grid is left."""
    side = round(grid)
    if side not in (2, 4, 8) or abs(grid - side) > 0.01 or min(len(down), len(columns)) < 4 * side:
        return 0.0
    found, rows = 1.0, slice(side - 1, None, side)
    for n, edges, whole, width in (
        (len(down), total(down[rows]), total(down), shape[1]),
        (len(columns), int(columns[rows].sum()), int(columns.sum()), shape[0]),
    ):
        on = len(range(n)[rows])
        edge, beside = edges / on / width, (whole - edges) / (n - on) / width
        found = min(found, (edge - beside) / (edge + beside + 1.0))
    return max(0.0, found)


def _colour(*planes: np.ndarray) -> dict[str, Any]:
    """Colourfulness (Hasler and Süsstrunk 2003, by 255) and the hue of the mean colour, from Y, Cb and Cr."""
    rows, columns = (slice(None, None, max(1, n // 48)) for n in planes[0].shape)
    values = np.stack([plane[rows, columns].ravel() for plane in planes]).astype(np.float32)
    values[1:] -= 128
    n = values.shape[1]
    luma, blue, red = (values.sum(1) / n).tolist()
    (bb, br), (_, rr) = ((values[1:] @ values[1:].T) / n).tolist()
    bb, br, rr = bb - blue * blue, br - blue * red, rr - red * red
    first, second = 2.116 * red + 0.344 * blue, 0.344 * red - 1.944 * blue  # R - G, and (R + G) / 2 - B
    spread = 2.116**2 * rr + 0.344**2 * bb + 2 * 2.116 * 0.344 * br
    spread += 0.344**2 * rr + 1.944**2 * bb - 2 * 0.344 * 1.944 * br
    mean = luma + 1.402 * red, luma - 0.344 * blue - 0.714 * red, luma + 1.772 * blue
    hue = 0.0
    if max(mean) - min(mean) > 1:
        place = mean.index(max(mean))
        hue = ((mean[(place + 1) % 3] - mean[(place + 2) % 3]) / (max(mean) - min(mean)) + 2 * place) / 6 % 1.0
    return {"colourfulness": (math.sqrt(max(spread, 0)) + 0.3 * math.hypot(first, second)) / 255, "hue": hue}


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
    """What takes a plane out of 16 by 16 cells: (256, 256)."""
    side = np.linspace(-1, 1, 16)
    basis = np.stack([np.ones(256), np.repeat(side, 16), np.tile(side, 16)], 1)
    return (np.eye(256) - basis @ np.linalg.pinv(basis)).astype(np.float32)


def hashes(small: np.ndarray) -> dict[str, Any]:
    """Hashes of a grey picture of SMALL pixels a side, of its mirror image, crops and turns; whether they tell."""
    down = _down() @ small
    eight, nine = down[:8], down[8:17]
    rest = _plane() @ (down[17:33] @ _cells(16).T).ravel()
    lying, standing = eight @ _cells(9).T, nine @ _cells(8).T
    cells = np.empty((10, 8, 9), np.float32)
    cells[0], cells[1], cells[7], cells[8], cells[9] = (
        lying, lying[:, ::-1], standing.T[::-1], lying[::-1, ::-1], standing.T[:, ::-1]
    )  # fmt: skip
    np.matmul(down[41:].reshape(len(CROPS), 8, SMALL), _crops(), out=cells[2:7])
    told = np.packbits((cells[:, :, 1:] > cells[:, :, :-1]).reshape(10, 64), axis=1).view(">i8")
    dhash, *more = told[:, 0].tolist()
    waves = (down[33:41] @ _waves().T).ravel()
    phash = int(np.packbits(waves > np.partition(waves[1:], 31)[31]).view(">i8")[0])
    flat = math.sqrt(rest @ rest / 256) / 255 < FLAT
    return {"is_flat": flat, "dhash": dhash, "phash": phash, "more_hashes": more}


@cache
def _down() -> np.ndarray:
    """All that sums down the columns, (81, SMALL): eight, nine and sixteen cells, waves, and the cells of each crop."""
    crops = [_cells(8, top, 0.8) for top, _ in CROPS]
    return np.concatenate([_cells(8), _cells(9), _cells(16), _waves(), *crops])


@cache
def _crops() -> np.ndarray:
    """Weights that average the cells of each crop across, (5, SMALL, 9)."""
    return np.stack([_cells(9, left, 0.8).T for _, left in CROPS])
