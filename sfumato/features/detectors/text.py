"""Where text is, by the detector of PP-OCRv4, a DBNet (Liao et al. 2020): boxes, not what they say."""

import numpy as np
from PIL import Image

from sfumato.features.detectors.graphs import fitted, graph

EDITION = "ppocr_v4_det-640-1"
LONGEST, SHORTEST = 640, 320
LEAST = 0.3  # a pixel less likely than this is not text
SURE = 0.6  # mean likelihood of the pixels of a box
CELL = 4  # pixels that are put together before boxes are looked for
GROW = 1.3  # the network marks the core of a line, which is this much lower than the line


def prepare(picture: Image.Image) -> np.ndarray:
    """An opaque picture in the size in which text is looked for, (H, W, 3) uint8."""
    return fitted(picture, LONGEST, SHORTEST)


def find(prepared: np.ndarray) -> np.ndarray:
    """Boxes of text (n, 6), largest first: left, top, width, height as shares, likelihood, contrast within."""
    x = (prepared.astype(np.float32) / 127.5 - 1)[..., ::-1].transpose(2, 0, 1)[None]  # it learnt from BGR
    likely = graph("ppocr_v4_det.onnx").run(None, {"x": np.ascontiguousarray(x)})[0][0, 0]
    rows, columns = likely.shape[0] // CELL, likely.shape[1] // CELL
    cells = likely.reshape(rows, CELL, columns, CELL).max((1, 3))
    grey = prepared.astype(np.float32).mean(2) / 255
    found = [_box(part, likely, grey) for part in islands(cells > LEAST)]
    boxes = [box for box in found if box is not None]
    table = np.array(sorted(boxes, key=lambda box: -box[2] * box[3]), np.float32)
    return table if boxes else np.zeros((0, 6), np.float32)


def _box(part: np.ndarray, likely: np.ndarray, grey: np.ndarray) -> tuple[float, ...] | None:
    """What is known of one island of cells (n, 2); None if it is too small or too unsure to be text."""
    low, high = part.min(0) * CELL, (part.max(0) + 1) * CELL
    inside = likely[low[0] : high[0], low[1] : high[1]]
    marked = inside[inside > LEAST]
    sure, extent = float(marked.mean()), high - low
    if sure < SURE or extent.max() < 3 * CELL or len(marked) < 24:
        return None
    lowest, highest = np.percentile(grey[low[0] : high[0], low[1] : high[1]], [2, 98])
    middle, size = (low + high) / 2, extent + (GROW - 1) * extent.min()
    top, left = (middle - size / 2) / grey.shape
    tall, wide = size / grey.shape
    return float(left), float(top), float(wide), float(tall), sure, float(highest - lowest)


def islands(mask: np.ndarray) -> list[np.ndarray]:
    """Cells that touch each other, also by a corner, as arrays (n, 2) of row and column."""
    left = set(zip(*(axis.tolist() for axis in np.nonzero(mask)), strict=True))
    found = []
    while left:
        edge = [left.pop()]
        part = list(edge)
        while edge:
            row, column = edge.pop()
            for near in [(row + i, column + j) for i in (-1, 0, 1) for j in (-1, 0, 1)]:
                if near in left:
                    left.remove(near)
                    edge.append(near)
                    part.append(near)
        found.append(np.array(part))
    return found
