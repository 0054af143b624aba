"""Pictures by the trunk of EfficientNet-lite0 (Tan and Le 2019), trained on ImageNet: 1,280 numbers each.

It runs in onnxruntime alone, in single precision. Its weights lie beside this file's folder, with what they are.
"""

import functools
import os
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

DIM = 1280
SIDE = 160
BATCH = 16
GRAPH = Path(__file__).parent.parent / "weights" / "efficientnet_lite0.onnx"
MEAN = np.array([0.485, 0.456, 0.406], np.float32) * 255
SPREAD = np.array([0.229, 0.224, 0.225], np.float32) * 255


@functools.cache
def _session() -> Any:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 0
    return onnxruntime.InferenceSession(str(GRAPH), options, providers=["CPUExecutionProvider"])


def on_white(pictures: np.ndarray) -> np.ndarray:
    """Premultiplied pictures (N, H, W, 4) uint8 as (N, H, W, 3) uint8 on white.

    A network may draw colours above its alpha, which no picture has: they count as the alpha, and never wrap around.
    """
    colours, alpha = pictures[..., :3], pictures[..., 3:]
    return np.minimum(colours, alpha) + (255 - alpha)


def encode(pictures: np.ndarray, side: int = SIDE) -> np.ndarray:
    """Features (N, 1280) float32 of pictures: (N, H, W, 4) uint8 premultiplied, or (N, H, W, 3) uint8 opaque.

    Pictures are laid on white and resized to `side`. A picture's features do not depend on its neighbours.
    """
    opaque = on_white(pictures) if pictures.shape[-1] == 4 else pictures
    features = np.zeros((len(opaque), DIM), np.float32)
    for start in range(0, len(opaque), BATCH):
        part = opaque[start : start + BATCH]
        features[start : start + len(part)] = _session().run(None, {"x": _prepare(part, side)})[0]
    return features


def _prepare(pictures: np.ndarray, side: int) -> np.ndarray:
    """Opaque pictures (N, H, W, 3) uint8 resized and normalised as the network was trained, (N, 3, side, side)."""
    if pictures.shape[1:3] != (side, side):
        how = Image.Resampling.BICUBIC
        pictures = np.stack([np.asarray(Image.fromarray(one).resize((side, side), how)) for one in pictures])
    return np.ascontiguousarray(((pictures - MEAN) / SPREAD).transpose(0, 3, 1, 2), np.float32)
