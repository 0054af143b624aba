"""Pictures with enough in them to be told apart, and copies of them in the ways that people make copies."""

import io

import numpy as np
from PIL import Image, ImageDraw, ImageEnhance, ImageFilter, ImageOps

SIDE = 160


def scene(number: int, side: tuple[int, int] = (SIDE, SIDE)) -> Image.Image:
    """Shapes on a field of colours; each number has its own."""
    source = np.random.default_rng(number)
    field = source.integers(40, 216, (4, 4, 3), dtype=np.uint8)
    picture = Image.fromarray(field).resize(side, Image.Resampling.BICUBIC)
    draw = ImageDraw.Draw(picture)
    for _ in range(12):
        x, y = (int(one) for one in source.integers(-20, SIDE, 2))
        wide, high = (int(one) for one in source.integers(10, 70, 2))
        ink = tuple(int(one) for one in source.integers(0, 256, 3))
        (draw.ellipse if source.integers(2) else draw.rectangle)((x, y, x + wide, y + high), fill=ink)
    return picture


def jpeg(picture: Image.Image, quality: int = 92, **more: object) -> bytes:
    """The picture as a JPEG."""
    out = io.BytesIO()
    picture.save(out, "JPEG", quality=quality, **more)
    return out.getvalue()


def marked(picture: Image.Image) -> Image.Image:
    """With a box like a watermark in a corner."""
    copy = picture.copy()
    ImageDraw.Draw(copy).rectangle((95, 138, 154, 153), fill="white", outline="black")
    return copy


COPIES = {
    "encoded": lambda one: jpeg(one, 40),
    "resized": lambda one: jpeg(one.resize((120, 120), Image.Resampling.LANCZOS)),
    "lighter": lambda one: jpeg(ImageEnhance.Brightness(one).enhance(1.15)),
    "cropped": lambda one: jpeg(one.crop((4, 4, SIDE - 4, SIDE - 4)).resize((SIDE, SIDE))),
    "marked": lambda one: jpeg(marked(one)),
    "mirrored": lambda one: jpeg(ImageOps.mirror(one)),
    "turned": lambda one: jpeg(one.transpose(Image.Transpose.ROTATE_90)),
}
FAULTS = {
    "blur": lambda one: jpeg(one.filter(ImageFilter.GaussianBlur(5))),
    "dark": lambda one: jpeg(ImageEnhance.Brightness(one).enhance(0.1)),
    "light": lambda one: jpeg(Image.blend(one, Image.new("RGB", one.size, "white"), 0.92)),
    "low_contrast": lambda one: jpeg(Image.blend(one, Image.new("RGB", one.size, (120, 120, 120)), 0.9), 98),
    "noise": lambda one: jpeg(noisy(one), 98),
    "blocking": lambda one: jpeg(one, 6),
    "low_information": lambda one: jpeg(Image.new("RGB", one.size, (90, 140, 60))),
    "grey": lambda one: jpeg(one.convert("L").convert("RGB")),
    "odd_size": lambda one: jpeg(one.resize((12, 12))),
    "odd_aspect": lambda one: jpeg(one.resize((SIDE, 40))),
}


def noisy(picture: Image.Image) -> Image.Image:
    """With strong noise."""
    rough = np.asarray(picture, np.float32) + np.random.default_rng(0).normal(0, 45, (picture.height, picture.width, 1))
    return Image.fromarray(rough.clip(0, 255).astype(np.uint8))
