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
FLAT = 0.012  # deviation of grey from a plane, below which hashes tell nothing
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
    pixels = seen.pixels_hash()
    luma = seen.picture.getchannel(0)
    grey = np.asarray(luma, np.float32)
    small = np.asarray(luma.resize((SMALL, SMALL), Image.Resampling.BOX), np.float32)
    colours = np.asarray(seen.picture.resize((32, 32), Image.Resampling.BOX).convert("RGB"), np.float32) / 255
    rows, columns = np.diff(grey, axis=0), np.diff(grey, axis=1)
    return {
        "pixels_sha256": pixels, **_light(luma), "sharpness": _sharpness(grey, rows, columns),
        "noise": _noise(columns), "blocking": _blocking(rows, columns, seen.grid), **_colour(colours), **hashes(small),
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

    def pixels_hash(self) -> str:
        """A hash of the size and of the pixels as they were decoded."""
        digest = hashlib.sha256(f"{self.size} {self.whole.mode} {self.whole.size}".encode())
        digest.update(self.whole.tobytes())
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
            upright = ImageOps.exif_transpose(found)
            size = size if upright.size == found.size else (size[1], size[0])
            return upright if upright.mode == "YCbCr" else upright.convert("RGB").convert("YCbCr"), size
    except Unusable:
        raise
    except Exception as problem:  # whatever a decoder stumbles over, it is the file's fault
        raise Unusable("corrupt", f"it cannot be decoded ({problem})") from problem


def _light(luma: Image.Image) -> dict[str, Any]:
    """Brightness, contrast, percentiles and entropy, all of them from the histogram."""
    share = np.asarray(luma.histogram(), np.float64)
    share /= share.sum()
    levels = np.arange(256) / 255
    mean = float(share @ levels)
    reached = share.cumsum()
    held = share[share > 0]
    return {
        "brightness": mean, "contrast": float(np.sqrt(share @ (levels - mean) ** 2)),
        "darkest": int(np.searchsorted(reached, 0.05)) / 255, "lightest": int(np.searchsorted(reached, 0.95)) / 255,
        "information": float(-(held * np.log2(held)).sum()) + 0.0,
    }  # fmt: skip


def _sharpness(grey: np.ndarray, rows: np.ndarray, columns: np.ndarray) -> float:
    """How much steepness a blur would take away, 0 to 1 (Crete et al. 2007); flat parts have no say in it."""
    kept = 0.0
    for steps, axis in ((rows, 0), (columns, 1)):
        if min(grey.shape) < 12:
            continue
        before = np.abs(steps)
        after = np.abs(_box(steps, axis, 9))
        inner = before[4:-4] if axis == 0 else before[:, 4:-4]
        total = float(inner.sum())
        lost = float(np.maximum(inner - after, 0).sum())
        kept = max(kept, lost / total if total > 0 else 0.0)
    return kept


def _box(values: np.ndarray, axis: int, width: int) -> np.ndarray:
    """Running means along an axis, where all of the width is there."""
    sums = np.cumsum(values, axis=axis, dtype=np.float32)
    if axis == 0:
        head = np.concatenate([np.zeros_like(sums[:1]), sums])
        return (head[width:] - head[:-width]) / width
    head = np.concatenate([np.zeros_like(sums[:, :1]), sums], axis=1)
    return (head[:, width:] - head[:, :-width]) / width


def _noise(columns: np.ndarray) -> float:
    """The deviation of noise, 0 to 1, by the quietest quarter of blocks (after Immerkær 1996)."""
    second = np.diff(columns, axis=1)
    rough = np.abs(second[2:] - 2 * second[1:-1] + second[:-2])
    high, wide = rough.shape[0] // 16, rough.shape[1] // 16
    if high < 2 or wide < 2:
        return 0.0
    blocks = rough[: high * 16, : wide * 16].reshape(high, 16, wide, 16).mean((1, 3))
    return float(np.quantile(blocks, 0.25)) * math.sqrt(math.pi / 2) / 6 / 255


def _blocking(rows: np.ndarray, columns: np.ndarray, grid: float) -> float:
    """How much steeper steps are on the grid of a JPEG's blocks than beside it, 0 to 1; 0 where no grid is left."""
    side = round(grid)
    if side not in (2, 4, 8) or abs(grid - side) > 0.01:
        return 0.0
    found = []
    for steps in (rows, columns.T):
        heights = np.abs(steps).mean(1)
        if len(heights) < 4 * side:
            return 0.0
        on = heights[side - 1 :: side]
        beside = np.delete(heights, np.arange(side - 1, len(heights), side))
        found.append(float(on.mean() - beside.mean()) / float(on.mean() + beside.mean() + 1.0))
    return max(0.0, min(found))


def _colour(colours: np.ndarray) -> dict[str, Any]:
    """Colourfulness (Hasler and Süsstrunk 2003, by 255) and the hue of the mean colour."""
    red, green, blue = (colours[..., place] for place in range(3))
    first, second = red - green, (red + green) / 2 - blue
    spread = math.hypot(float(first.std()), float(second.std()))
    mean = colours.mean((0, 1))
    low, high = float(mean.min()), float(mean.max())
    hue = 0.0
    if high - low > 1 / 255:
        place = int(mean.argmax())
        hue = ((float(mean[(place + 1) % 3] - mean[(place + 2) % 3]) / (high - low) + 2 * place) / 6) % 1.0
    return {"colourfulness": spread + 0.3 * math.hypot(float(first.mean()), float(second.mean())), "hue": hue}


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
    waves = (_waves() @ small @ _waves().T).ravel()
    steps = [small[:, ::-1]]
    more = [_steps_hash(_cells(8) @ steps[0] @ _cells(9).T)]
    more += [_steps_hash(_cells(8, top, 0.8) @ small @ _cells(9, left, 0.8).T) for top, left in CROPS]
    more += [_steps_hash(_cells(8) @ np.rot90(small, turns) @ _cells(9).T) for turns in (1, 2, 3)]
    return {
        "is_flat": bool(rest.std() / 255 < FLAT), "dhash": _steps_hash(_cells(8) @ small @ _cells(9).T),
        "phash": _packed(waves > np.median(waves[1:])), "more_hashes": more,
    }  # fmt: skip


def _steps_hash(cells: np.ndarray) -> int:
    """Which of 8 by 9 cells is lighter than the one before it, as 64 bits."""
    return _packed(cells[:, 1:] > cells[:, :-1])


def _packed(bits: np.ndarray) -> int:
    return int(np.packbits(bits.ravel()).view(">i8")[0])
