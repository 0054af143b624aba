"""Making a clean icon look as a small generator might have drawn it, so that a judge need not see it crisp."""

import numpy as np
from PIL import Image, ImageFilter

from sfumato.features.encoders.efficientnet_lite0 import on_white

SMALL = 32


def degrade(picture: np.ndarray, random: np.random.Generator, *, may_flip: bool) -> np.ndarray:
    """A premultiplied picture (S, S, 4) uint8 moved, recoloured, made small, blurred and noisy: (32, 32, 3) on white.

    Ranges were chosen by eye against drawings of models early in their training.
    """
    source = Image.fromarray(picture, "RGBa")
    if may_flip and random.random() < 0.5:
        source = source.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    side = source.width
    angle, grow = random.uniform(-0.2, 0.2), random.uniform(0.95, 1.3)
    shift = random.uniform(-0.06, 0.06, 2) * side
    cos, sin, middle = np.cos(angle) * grow, np.sin(angle) * grow, side / 2
    inverse = (
        cos, sin, middle - cos * middle - sin * middle + shift[0],
        -sin, cos, middle + sin * middle - cos * middle + shift[1],
    )  # fmt: skip
    moved = np.asarray(source.transform(source.size, Image.Transform.AFFINE, inverse, Image.Resampling.BILINEAR))
    values = on_white(moved[None])[0]
    small = Image.fromarray(values).resize((SMALL, SMALL), Image.Resampling.BOX)
    if random.random() < 0.7:
        small = small.filter(ImageFilter.GaussianBlur(random.uniform(0, 0.9)))
    shades = np.asarray(small, np.float32)
    grey = shades.mean(-1, keepdims=True)
    shades = grey + (shades - grey) * random.uniform(0.6, 1.3)
    shades = 255 - (255 - shades) * random.uniform(0.75, 1.15, 3)
    shades += random.normal(0, random.uniform(0, 10), shades.shape) * (shades < 250)
    return (shades + 0.5).clip(0, 255).astype(np.uint8)
