"""How likely a picture is not safe for work, by the middle MobileNet of nsfwjs (Laborde 2019)."""

import numpy as np
from PIL import Image

from sfumato.features.detectors.graphs import graph

EDITION = "nsfw_mobilenet_mid-224-1"
SIDE = 224
KINDS = ("drawing", "hentai", "neutral", "porn", "sexy")  # in the order in which the network tells them


def prepare(picture: Image.Image) -> np.ndarray:
    """An opaque picture in the size of the network, (224, 224, 3) uint8."""
    return np.asarray(picture.resize((SIDE, SIDE), Image.Resampling.BILINEAR, reducing_gap=3.0))


def judge(prepared: list[np.ndarray]) -> np.ndarray:
    """Likelihoods (n, 5) of the kinds, each row sums to one."""
    x = np.stack(prepared).astype(np.float32).transpose(0, 3, 1, 2) / 255
    told: np.ndarray = graph("nsfw_mobilenet_mid.onnx").run(None, {"x": np.ascontiguousarray(x)})[0]
    return told
