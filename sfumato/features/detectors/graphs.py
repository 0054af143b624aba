"""The graphs that ship, opened once."""

import functools
import os
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

WEIGHTS = Path(__file__).parent.parent / "weights"
STRIDE = 32  # what sides have to be a multiple of


@functools.cache
def graph(file: str) -> Any:
    """The graph of that file, ready to run."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 0
    options.log_severity_level = 3  # these graphs hold weights that nothing uses, which is no news
    return onnxruntime.InferenceSession(str(WEIGHTS / file), options, providers=["CPUExecutionProvider"])


def fitted(picture: Image.Image, longest: int, shortest: int) -> np.ndarray:
    """RGB (H, W, 3) uint8 with the longer side between these, sides rounded to what the networks take."""
    scale = min(max(shortest / max(picture.size), 1), longest / max(picture.size))
    sides = [max(STRIDE, round(side * scale / STRIDE) * STRIDE) for side in picture.size]
    return np.asarray(picture.resize((sides[0], sides[1]), Image.Resampling.BILINEAR, reducing_gap=3.0))
