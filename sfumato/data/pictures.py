"""Opening pictures that nobody has looked at yet, without trusting their name, size or content."""

import contextlib
import io
import re
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any

import numpy as np
from PIL import Image, ImageOps

from sfumato.errors import InvalidInput

MAGIC = {"png": b"\x89PNG\r\n\x1a\n", "jpeg": b"\xff\xd8\xff", "gif": b"GIF8", "bmp": b"BM", "webp": b"RIFF"}
SUFFIXES = {
    ".png": "png", ".jpg": "jpeg", ".jpeg": "jpeg", ".gif": "gif", ".bmp": "bmp", ".webp": "webp", ".svg": "svg",
}  # fmt: skip
ORIENTATION = 0x0112  # of EXIF
DPI = 96  # pixels of an inch, by which SVGs tell points and centimetres (CSS)
SAYS_TURNED = {"exif", "Raw profile type exif", "xmp", "XML:com.adobe.xmp"}  # where Pillow looks for it
UNSAFE_SVG = re.compile(
    r"<\s*script|<\s*foreignObject|<!ENTITY|\bon\w+\s*=|javascript:|@import|"
    r"(?:href|src)\s*=\s*[\"']\s*(?!#|data:image/)[^\"'\s]|url\(\s*[\"']?(?!#|[\"']?#)[^)\"'\s]",
    re.IGNORECASE,
)


class Unusable(InvalidInput):
    """A picture that cannot be taken; `reason` is one of a few words, the message says more."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail


def kind_of(data: bytes) -> str:
    """What the bytes are, told from how they begin; "" if they are no picture that we know."""
    for kind, magic in MAGIC.items():
        if data.startswith(magic) and (kind != "webp" or data[8:12] == b"WEBP"):
            return kind
    head = data[:2000].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    return "svg" if head.startswith((b"<svg", b"<?xml", b"<!--", b"<!doctype svg")) and b"<svg" in data[:20000] else ""


def check_name(name: str, data: bytes) -> str:
    """Check that a file holds what its name says and return its kind; raises Unusable."""
    if not data:
        raise Unusable("empty", "the file holds nothing")
    kind, said = kind_of(data), SUFFIXES.get(PurePath(name).suffix.lower(), "")
    if not kind:
        raise Unusable("not a picture", f"the file does not hold what {PurePath(name).suffix or 'its name'} promises")
    if said and said != kind:
        raise Unusable("wrongly named", f"the file holds {kind.upper()}")
    return kind


Draw = Callable[[str, int], Image.Image]


@dataclass(frozen=True)
class Measured:
    """What is seen of a picture when it is decoded, and what `look` told of it."""

    width: int
    height: int
    has_alpha: bool
    told: Any = None


def measure(
    data: bytes, max_pixels: int, *, draw: Draw | None = None, look: Callable[[bytes, Image.Image | None], Any]
) -> Measured:
    """Decode a picture to see that it can be, its size upright, and whether it lets anything through.

    `look` is handed the bytes and what Pillow opened, for what else there is to read. Raises Unusable.
    """
    kind = kind_of(data)
    if kind == "svg":
        drawn = open_picture(data, max_pixels, draw=draw)
        return Measured(drawn.width, drawn.height, _lets_through(drawn), look(data, None))
    with _opened(data, kind, max_pixels) as found:
        found.load()
        told = look(data, found)
        turned = not SAYS_TURNED.isdisjoint(found.info) and found.getexif().get(ORIENTATION, 1) in (5, 6, 7, 8)
        width, height = (found.height, found.width) if turned else found.size
        return Measured(width, height, _lets_through(found), told)


def _lets_through(found: Image.Image) -> bool:
    """Whether any pixel is not wholly opaque."""
    if found.mode not in ("RGBA", "LA"):
        if "transparency" not in found.info and found.mode not in ("PA", "La", "RGBa"):
            return False
        found = found.convert("RGBA")
    least: Any = found.getchannel("A").getextrema()[0]
    return bool(least < 255)


def open_picture(
    data: bytes, max_pixels: int, *, svg_size: int = 128, draw: Draw | None = None
) -> Image.Image:
    """Decode to RGBA, checking the size before decoding; SVGs are drawn at `svg_size`. Raises Unusable."""
    kind = kind_of(data)
    if kind == "svg":
        return (draw or draw_svg)(data.decode("utf-8", "replace"), svg_size)
    with _opened(data, kind, max_pixels) as found:
        return _upright(found)


@contextlib.contextmanager
def _opened(data: bytes, kind: str, max_pixels: int) -> Iterator[Image.Image]:
    """Pillow's picture with its size checked; whatever goes wrong within is the file's fault, and Unusable."""
    if not kind:
        raise Unusable("not a picture", "the bytes are of no kind that is known")
    if kind == "png" and len(data) >= 24:  # before Pillow sees it
        width, height = struct.unpack(">II", data[16:24])
        _check_size(width, height, max_pixels)
    try:
        Image.MAX_IMAGE_PIXELS = max_pixels
        with Image.open(io.BytesIO(data), formats=[kind.upper()]) as found:
            _check_size(found.width, found.height, max_pixels)
            yield found
    except Unusable:
        raise
    except Image.DecompressionBombError as problem:
        raise Unusable("too large", str(problem)) from problem
    except Exception as problem:  # whatever a decoder stumbles over, it is the file's fault
        raise Unusable("corrupt", f"it cannot be decoded ({problem})") from problem


def _upright(found: Image.Image) -> Image.Image:
    """As RGBA, turned as the camera says, 16 bits of grey cut to 8."""
    if found.mode.startswith("I"):
        grey = np.asarray(found, np.float64) / 257
        return Image.fromarray(grey.clip(0, 255).astype(np.uint8)).convert("RGBA")
    return ImageOps.exif_transpose(found).convert("RGBA")


def _check_size(width: int, height: int, max_pixels: int) -> None:
    if width * height > max_pixels:
        raise Unusable("too large", f"{width} × {height} pixels, more than the {max_pixels:,} allowed")
    if width == 0 or height == 0:
        raise Unusable("corrupt", "it has no pixels")


def check_svg(svg: str) -> None:
    """Refuse an SVG with a script, an event, an entity or a reference to elsewhere; raises Unusable."""
    found = UNSAFE_SVG.search(svg)
    if found:
        raise Unusable("unsafe SVG", f"it holds '{found.group(0)[:30].strip()}', which could run or fetch something")


def draw_svg(svg: str, size: int) -> Image.Image:
    """Draw an SVG with alpha, here and now: one that comes from strangers is for `drawing.Drawer`. Raises Unusable."""
    import resvg_py

    check_svg(svg)
    try:
        png = resvg_py.svg_to_bytes(svg_string=svg, width=size, height=size, dpi=DPI, skip_system_fonts=True)
    except (ValueError, RuntimeError) as problem:
        raise Unusable("corrupt", f"it cannot be drawn ({problem})") from problem
    return Image.open(io.BytesIO(bytes(png))).convert("RGBA")


def as_png(picture: Image.Image) -> bytes:
    """The same pixels always as the same PNG bytes."""
    out = io.BytesIO()
    picture.save(out, "PNG", compress_level=6)
    return out.getvalue()


def to_premultiplied(picture: Image.Image, size: int) -> np.ndarray:
    """Fit into a square of `size`, as (size, size, 4) uint8 with colours multiplied by alpha before resizing."""
    values = np.asarray(picture.convert("RGBA"), np.float32)
    values = values * np.concatenate(
        [np.repeat(values[..., 3:] / 255, 3, axis=2), np.ones_like(values[..., 3:])], axis=2
    )
    side = max(picture.size)
    scale = size / side
    fitted = max(1, round(picture.width * scale)), max(1, round(picture.height * scale))
    how = Image.Resampling.BOX if side % size == 0 else Image.Resampling.LANCZOS
    planes = [np.asarray(Image.fromarray(values[..., c]).resize(fitted, how)) for c in range(4)]
    squared = np.zeros((size, size, 4), np.float32)
    top, left = (size - fitted[1]) // 2, (size - fitted[0]) // 2
    squared[top : top + fitted[1], left : left + fitted[0]] = np.stack(planes, axis=-1)
    squared[..., 3] = squared[..., 3].clip(0, 255)
    squared[..., :3] = np.minimum(squared[..., :3].clip(0), squared[..., 3:])
    return (squared + 0.5).astype(np.uint8)
