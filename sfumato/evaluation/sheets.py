"""Contact sheets: drawings beside the real pictures of the same prompts, unpicked, so that anybody can judge."""

import io
from pathlib import Path

import numpy as np
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from sfumato.features.encoders.efficientnet_lite0 import on_white
from sfumato.store.files import write_whole

PAIRS = 64
COLUMNS = 8
TIMES = 3
GAP = 4  # pixels between pairs, before enlarging


def write_sheet(path: Path, drawn: np.ndarray, real: np.ndarray, says: str) -> None:
    """Write the first 64 pairs as PNG, each drawing left of its real picture; both (N, S, S, 4) uint8 premultiplied."""
    drawn, real = on_white(drawn[:PAIRS]), on_white(real[:PAIRS])
    count, side = drawn.shape[:2]
    columns = min(COLUMNS, count)
    wide, high = 2 * side + GAP, side + GAP
    sheet = np.full((-(-count // columns) * high + GAP, columns * wide + GAP, 3), 225, np.uint8)
    for place in range(count):
        top, left = GAP + place // columns * high, GAP + place % columns * wide
        sheet[top : top + side, left : left + 2 * side] = np.concatenate([drawn[place], real[place]], 1)
    info = PngInfo()
    info.add_itxt("Description", says)
    out = io.BytesIO()
    size = sheet.shape[1] * TIMES, sheet.shape[0] * TIMES
    Image.fromarray(sheet).resize(size, Image.Resampling.NEAREST).save(out, "PNG", pnginfo=info)
    write_whole(path, out.getvalue())
