"""Small pictures for tests, and files that only look like some."""

import io
import struct
import zlib

from PIL import Image, ImageDraw

COLOURS = ("red", "green", "blue", "gold")
SHAPES = ("disc", "square", "bar")


def picture(colour: str = "red", shape: str = "disc", side: int = 24) -> Image.Image:
    """A shape on a transparent ground."""
    drawn = Image.new("RGBA", (side, side), (0, 0, 0, 0))
    draw = ImageDraw.Draw(drawn)
    box = {"disc": (2, 2, side - 3, side - 3), "square": (4, 4, side - 5, side - 5), "bar": (2, 9, side - 3, 14)}
    (draw.ellipse if shape == "disc" else draw.rectangle)(box[shape], fill=colour)
    return drawn


def encoded(drawn: Image.Image, kind: str = "PNG") -> bytes:
    """The picture as a file's bytes."""
    out = io.BytesIO()
    (drawn.convert("RGB") if kind == "JPEG" else drawn).save(out, kind)
    return out.getvalue()


def png_that_claims(width: int, height: int) -> bytes:
    """A PNG of a few bytes whose header promises a great many pixels."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 6, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(b"\0" * 100)) + chunk(b"IEND", b"")
