"""Where faces are, by CenterFace (Xu et al. 2019): boxes, never whose they are."""

import numpy as np
from PIL import Image

from sfumato.features.detectors.graphs import fitted, graph

EDITION = "centerface-640-1"
LONGEST, SHORTEST = 640, 256
LEAST = 0.35  # a place less likely than this is not a face
OVERLAP = 0.3  # two boxes that share more are of one face
CELL = 4


def prepare(picture: Image.Image) -> np.ndarray:
    """An opaque picture in the size in which faces are looked for, (H, W, 3) uint8."""
    return fitted(picture, LONGEST, SHORTEST)


def find(prepared: np.ndarray) -> np.ndarray:
    """Faces (n, 5) float32, the likeliest first: left, top, width and height as shares of the picture, likelihood."""
    x = np.ascontiguousarray(prepared.transpose(2, 0, 1)[None], np.float32)
    heat, scale, offset, _ = graph("centerface.onnx").run(None, {"input.1": x})
    heat, (tall, wide), (down, right) = heat[0, 0], scale[0], offset[0]
    row, column = np.nonzero(heat > LEAST)
    height, width = np.exp(tall[row, column]) * CELL, np.exp(wide[row, column]) * CELL
    left = (column + right[row, column] + 0.5) * CELL - width / 2
    top = (row + down[row, column] + 0.5) * CELL - height / 2
    boxes = np.stack([left, top, width, height, heat[row, column]], axis=1).astype(np.float32)
    sides = np.array([prepared.shape[1], prepared.shape[0]], np.float32)
    return _apart(boxes) / np.concatenate([sides, sides, [1]]).astype(np.float32)


def _apart(boxes: np.ndarray) -> np.ndarray:
    """The likeliest of boxes that lie over each other."""
    boxes = boxes[np.argsort(-boxes[:, 4], kind="stable")]
    kept: list[np.ndarray] = []
    for box in boxes:
        if all(_shared(box, other) < OVERLAP for other in kept):
            kept.append(box)
    return np.stack(kept) if kept else np.zeros((0, 5), np.float32)


def _shared(one: np.ndarray, other: np.ndarray) -> float:
    """The part of their union that two boxes share."""
    low = np.maximum(one[:2], other[:2])
    high = np.minimum(one[:2] + one[2:4], other[:2] + other[2:4])
    both = float(np.prod((high - low).clip(0)))
    return both / max(float(np.prod(one[2:4]) + np.prod(other[2:4])) - both, 1e-9)
