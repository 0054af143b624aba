"""What EfficientNet-lite0 would call a picture: the thousand names of ImageNet, told from its features alone."""

import functools
import json
from pathlib import Path

import numpy as np

WEIGHTS = Path(__file__).parent / "weights"
HEAD = WEIGHTS / "efficientnet_lite0_head.npz"
NAMES = WEIGHTS / "imagenet_names.json"


@functools.cache
def _head() -> tuple[np.ndarray, np.ndarray, list[str]]:
    with np.load(HEAD) as kept:
        weight = kept["weight"].astype(np.float32) * kept["scale"][:, None]
        return weight, kept["bias"], json.loads(NAMES.read_text(encoding="utf-8"))


def labels(features: np.ndarray, most: int = 3) -> list[list[tuple[str, float]]]:
    """For each row of features (n, 1280) the likeliest names with their likelihoods, the likeliest first."""
    weight, bias, names = _head()
    told = features @ weight.T + bias
    told = np.exp(told - told.max(1, keepdims=True))
    told /= told.sum(1, keepdims=True)
    order = np.argsort(-told, axis=1)[:, :most]
    return [[(names[column], float(told[row, column])) for column in columns] for row, columns in enumerate(order)]
