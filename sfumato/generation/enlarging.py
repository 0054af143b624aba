"""Making a drawn picture larger: by the learned enlarger where it fits, else by Lanczos resampling."""

import hashlib
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

from sfumato.checkpoints.models import ENLARGER
from sfumato.generation.drawing import to_straight
from sfumato.generation.engines.onnx_local import Filled
from sfumato.models.resampling import area, lanczos


@dataclass(frozen=True)
class Enlarged:
    """A larger picture, (H, W, 4) uint8 with straight alpha, and what made it so: "" when nothing did."""

    picture: np.ndarray
    by: str


class Learned:
    """A learned enlarger: premultiplied planes (4, S, S) in [-1, 1] to (4, times S, times S)."""

    def __init__(self, path: Path) -> None:
        self._graph = Filled(path)
        self.size = int(self._graph.header.options["size"])
        self.times = int(self._graph.header.options["times"])
        self.name = f"enlarger {hashlib.sha256(path.read_bytes()).hexdigest()}"

    def __call__(self, planes: np.ndarray) -> np.ndarray:
        return self._graph({"x": planes[None].astype(np.float32)})[0]


@lru_cache(maxsize=2)
def load_enlarger(path: Path = ENLARGER) -> Learned:
    """Load an enlarger for whose shape a graph ships with Sfumato; raises Unsupported or Damaged."""
    return Learned(path)


def enlarge(picture: np.ndarray, times: int, *, by: Path | None = ENLARGER) -> Enlarged:
    """A straight-alpha picture (H, W, 4) uint8 `times` as large, colours under their alpha all the way.

    The enlarger `by` is used for pictures of the size that it was trained for, one at a time so that a
    picture does not depend on those beside it; what it makes too large is averaged down, what it leaves
    too small goes on by Lanczos. Pictures of other sizes, or without an enlarger, go by Lanczos alone.
    """
    if times == 1:
        return Enlarged(picture, "")
    planes = premultiplied(picture)
    learned = load_enlarger(by) if by is not None and by.exists() else None
    if learned is None or planes.shape[1:] != (learned.size, learned.size):
        return Enlarged(to_straight(lanczos(planes, times)[None])[0], "lanczos")
    grown = learned(planes)
    if times < learned.times:
        grown = area(grown, learned.times // times)
    elif times > learned.times:
        grown = lanczos(grown, times // learned.times)
    return Enlarged(without_rims(to_straight(grown[None])[0]), learned.name)


def without_rims(picture: np.ndarray) -> np.ndarray:
    """The same picture (H, W, 4) uint8, see-through pixels coloured more like the solid ones beside them.

    What little a faint pixel shows is divided by a small alpha, so a small error becomes a dark or light rim.
    """
    values = picture.astype(np.float32) / 255
    alpha = values[..., 3:]
    weight = alpha**3  # the more solid, the more it counts
    planes = np.pad(np.concatenate([values[..., :3] * weight, weight], -1), ((1, 1), (1, 1), (0, 0)))
    height, width = picture.shape[:2]
    steps = [(top, left) for top in range(3) for left in range(3)]
    around = np.sum([planes[top : top + height, left : left + width] for top, left in steps], axis=0)
    beside = around[..., :3] / np.maximum(around[..., 3:], 1e-4)
    colour = np.where(alpha > 0, alpha * values[..., :3] + (1 - alpha) * beside, 0).clip(0, 1)
    return (np.concatenate([colour, alpha], -1) * 255 + 0.5).astype(np.uint8)


def premultiplied(picture: np.ndarray) -> np.ndarray:
    """A straight-alpha picture (H, W, 4) uint8 as planes (4, H, W) in [-1, 1], colours times alpha."""
    values = picture.astype(np.float32) / 255
    values[..., :3] *= values[..., 3:]
    return np.ascontiguousarray(values.transpose(2, 0, 1)) * 2 - 1
