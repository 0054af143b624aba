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

MEASURE = 1  # the edition of this code: what an older one measured is measured again
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
    raw = seen.whole.tobytes()
    luma = seen.picture.getchannel(0)
    values = np.asarray(seen.picture) if seen.whole is not seen.picture else np.frombuffer(raw, np.uint8)
    values = values.reshape(seen.picture.height, seen.picture.width, 3)
    grey = values[..., 0].astype(np.int16)
    small = np.asarray(luma.resize((SMALL, SMALL), Image.Resampling.BOX, reducing_gap=1.0), np.float32)
    steps = [np.abs(grey[1:] - grey[:-1]), np.abs(grey[:, 1:] - grey[:, :-1])]
    heights = [one.sum(1 - axis, dtype=np.int32) for axis, one in enumerate(steps)]
    return {
        "pixels_sha256": seen.pixels_hash(raw), **_light(luma), "sharpness": _sharpness(grey, steps, heights),
        "noise": _noise(grey), "blocking": _blocking(heights, grey.shape, seen.grid), **_colour(values),
        **hashes(small),
    }  # fmt: skip


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

    def pixels_hash(self, raw: bytes) -> str:
        """A hash of the size and of `raw`, the pixels of the whole as they were decoded."""
        digest = hashlib.sha256(f"{self.size} {self.whole.mode} {self.whole.size}".encode())
        digest.update(raw)
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


def _sharpness(grey: np.ndarray, steps: list[np.ndarray], heights: list[np.ndarray]) -> float:
    """How much steepness a blur of nine pixels would take away, 0 to 1 (Crete et al. 2007); flat parts say nothing."""
    if min(grey.shape) < 12:
        return 0.0
    found = 0.0
    nine = np.int16(9)  # nine times a step, beside the way that nine steps go
    down = np.minimum(steps[0][4:-4] * nine, np.abs(grey[9:] - grey[:-9]))
    some = grey[::2]
    across = np.minimum(steps[1][::2, 4:-4] * nine, np.abs(some[:, 9:] - some[:, :-9]))
    for kept, total in (
        (down, 9 * int(heights[0][4:-4].sum())), (across, 9 * int(steps[1][::2, 4:-4].sum(dtype=np.int32)))
    ):  # fmt: skip
        found = max(found, 1 - int(kept.sum(dtype=np.int32)) / total if total else 0.0)
    return found


def _noise(grey: np.ndarray) -> float:
    """The deviation of noise, 0 to 1, by the quietest quarter of blocks (after Immerkær 1996)."""
    high, wide = (grey.shape[0] - 2) // 16, (grey.shape[1] - 2) // 16
    if high < 2 or wide < 2:
        return 0.0
    part = grey[: high * 16 + 2, : wide * 16 + 2]
    across = part[:, :-2] - 2 * part[:, 1:-1] + part[:, 2:]
    rough = np.abs(across[:-2] - 2 * across[1:-1] + across[2:])
    rows = rough.reshape(high, 16, wide * 16).sum(1, dtype=np.int32)
    blocks = np.sort(rows.reshape(high, wide, 16).sum(2, dtype=np.int32), axis=None)
    return float(blocks[blocks.size // 4]) / 256 * math.sqrt(math.pi / 2) / 6 / 255


def _blocking(heights: list[np.ndarray], shape: tuple[int, ...], grid: float) -> float:
    """How much steeper steps are on the grid of a JPEG's blocks than beside it, 0 to 1; 0 where no grid is left."""
    side = round(grid)
    if side not in (2, 4, 8) or abs(grid - side) > 0.01:
        return 0.0
    found = 1.0
    for axis in (0, 1):
        all_steps = heights[axis]
        if len(all_steps) < 4 * side:
            return 0.0
        on = all_steps[side - 1 :: side]
        whole, edges, width = int(all_steps.sum()), int(on.sum()), shape[1 - axis]
        edge, beside = edges / len(on) / width, (whole - edges) / (len(all_steps) - len(on)) / width
        found = min(found, (edge - beside) / (edge + beside + 1.0))
    return max(0.0, found)


def _colour(pixels: np.ndarray) -> dict[str, Any]:
    """Colourfulness (Hasler and Süsstrunk 2003, by 255) and the hue of the mean colour."""
    some = pixels[:: max(1, pixels.shape[0] // 48), :: max(1, pixels.shape[1] // 48)]
    values = some.reshape(-1, 3).astype(np.float32) - np.array([0, 128, 128], np.float32)
    luma, blue, red = (float(one) for one in values.sum(0) / len(values))
    (bb, br), (_, rr) = ((values[:, 1:].T @ values[:, 1:]) / len(values)).tolist()
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
    rest = _plane() @ (_cells(16) @ small @ _cells(16).T).ravel()
    lying, standing = _cells(8) @ small @ _cells(9).T, _cells(9) @ small @ _cells(8).T
    rows, columns = _crops()
    cells = [
        lying, lying[:, ::-1], *(rows @ small @ columns), np.rot90(standing), np.rot90(lying, 2), np.rot90(standing, 3)
    ]  # fmt: skip
    stacked = np.array(cells)
    told = np.packbits((stacked[:, :, 1:] > stacked[:, :, :-1]).reshape(len(cells), 64), axis=1).view(">i8")
    dhash, *more = (int(one) for one in told[:, 0])
    waves = (_waves() @ small @ _waves().T).ravel()
    phash = int(np.packbits(waves > np.partition(waves[1:], 31)[31]).view(">i8")[0])
    return {"is_flat": math.sqrt(rest @ rest / 256) / 255 < FLAT, "dhash": dhash, "phash": phash, "more_hashes": more}


@cache
def _crops() -> tuple[np.ndarray, np.ndarray]:
    """Weights that average the cells of each crop, from the left and from the right."""
    rows = np.stack([_cells(8, top, 0.8) for top, _ in CROPS])
    return rows, np.stack([_cells(9, left, 0.8).T for _, left in CROPS])
