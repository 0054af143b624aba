"""Pictures of any loop as one array that a preview is made of. Loads neither torch nor a framework."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from PIL import Image

from sfumato.errors import InvalidInput

MOST = 64  # pictures of one sheet
FRAMES = (1, 3, 4)  # grey, colour, colour with alpha


def as_pictures(given: Any) -> np.ndarray:
    """Pictures as (N, H, W, 4) uint8, colours premultiplied, at most 64 of them.

    Takes an array or tensor of one picture or several, channels first or last, bytes or floats in 0 ... 1; or
    pictures of Pillow. Raises InvalidInput for what is none.
    """
    if isinstance(given, Image.Image):
        given = [given]
    if isinstance(given, Sequence) and given and all(isinstance(one, Image.Image) for one in given):
        small = {one.size for one in given}
        if len(small) > 1:
            raise InvalidInput("The pictures of a preview must all be of one size.", hint="Resize them first.")
        return _premultiplied(np.stack([np.asarray(one.convert("RGBA")) for one in given[:MOST]]))
    if callable(getattr(given, "detach", None)):
        given = given.detach().cpu().float()
    try:
        values = np.asarray(given)
    except (TypeError, ValueError) as problem:
        raise _refused(f"a {type(given).__name__}") from problem
    if values.ndim == 3 and values.shape[-1] not in FRAMES and values.shape[0] not in FRAMES:
        values = values[..., None]  # several grey ones
    elif values.ndim in (2, 3):
        values = values[None]
    if values.ndim == 3:
        values = values[..., None]
    if values.ndim != 4 or not values.size:
        raise _refused(f"an array of shape {values.shape}")
    if values.shape[-1] not in FRAMES and values.shape[1] in FRAMES:
        values = values.transpose(0, 2, 3, 1)
    if values.shape[-1] not in FRAMES:
        raise _refused(f"an array of shape {values.shape}")
    return _premultiplied(_four(_bytes(values[:MOST])))


def _bytes(values: np.ndarray) -> np.ndarray:
    if values.dtype == np.uint8:
        return values
    if not np.issubdtype(values.dtype, np.floating):
        raise InvalidInput(f"A preview cannot be of {values.dtype}.", hint="Give uint8, or floats from 0 to 1.")
    known = np.nan_to_num(values.astype(np.float32), nan=0.0)
    if known.min() < -0.01 or known.max() > 1.01:
        raise InvalidInput(
            f"The preview has values from {known.min():.3g} to {known.max():.3g}.",
            hint="Floats go from 0 to 1. Of pictures in -1 ... 1 give (x + 1) / 2, clipped.",
        )
    return (known.clip(0, 1) * 255).round().astype(np.uint8)


def _four(values: np.ndarray) -> np.ndarray:
    if values.shape[-1] == 1:
        values = values.repeat(3, -1)
    if values.shape[-1] == 3:
        values = np.concatenate([values, np.full_like(values[..., :1], 255)], -1)
    return values


def _premultiplied(values: np.ndarray) -> np.ndarray:
    alpha = values[..., 3:].astype(np.uint16)
    colour = (values[..., :3].astype(np.uint16) * alpha + 127) // 255
    return np.concatenate([colour.astype(np.uint8), values[..., 3:]], -1)


def _refused(what: str) -> InvalidInput:
    return InvalidInput(f"A preview cannot be made of {what}.", hint="Give pictures as (N, H, W, 3) or (N, 3, H, W).")
