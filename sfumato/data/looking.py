"""What checks that look by a network share: the scorers, and going over a dataset's pictures with one."""

from collections.abc import Generator, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from PIL import Image

from sfumato.data.scan import Pictures
from sfumato.data.scoring import Scorer, watch
from sfumato.features.detectors import faces, safety, text

AT_ONCE = 2_048  # pictures that are asked for together
BLOCK = 1_024  # rows of one product of features
FACES, TEXTS = 6, 4  # boxes of one picture that are remembered


@dataclass(frozen=True)
class Seen:
    """What a scorer said of a dataset's kept pictures."""

    ids: list[str]
    sha256s: list[str]
    values: np.ndarray  # (n, width)


def look_at(pictures: Pictures, scorer: Scorer) -> Generator[None, None, Seen]:
    """Go over the pictures, yielding often enough to be stopped: `seen = yield from look_at(...)`."""
    ids: list[str] = []
    sha256s: list[str] = []
    values: list[np.ndarray] = [np.zeros((0, scorer.width), np.float32)]
    some: list[str] = []

    def score() -> Generator[None, None, None]:
        steps = watch(pictures.workspace, scorer, some)
        while True:
            try:
                next(steps)
            except StopIteration as finished:
                values.append(finished.value)
                return
            yield None

    for one in pictures:
        ids.append(one.item_id)
        some.append(one.sha256)
        if len(some) == AT_ONCE:
            yield from score()
            sha256s += some
            some = []
    yield from score()
    return Seen(ids, sha256s + some, np.concatenate(values))


def _boxes(found: np.ndarray, most: int, head: list[float]) -> np.ndarray:
    """The first numbers, then the first boxes one after the other, as many as are remembered."""
    flat = np.zeros(most * found.shape[1], np.float32)
    flat[: min(len(found), most) * found.shape[1]] = found[:most].ravel()
    return np.concatenate([np.array(head, np.float32), flat])


def _faces(prepared: list[Any]) -> np.ndarray:
    return np.stack([_boxes(found, FACES, [len(found)]) for found in map(faces.find, prepared)])


def _texts(prepared: list[Any]) -> np.ndarray:
    def told(found: np.ndarray) -> list[float]:
        return [len(found), min(float((found[:, 2] * found[:, 3]).sum()), 1.0)]

    return np.stack([_boxes(found, TEXTS, told(found)) for found in map(text.find, prepared)])


def _prepare(picture: Image.Image) -> np.ndarray:
    return safety.prepare(picture)


FACE = Scorer(faces.EDITION, 1 + 5 * FACES, faces.LONGEST, faces.prepare, _faces)
TEXT = Scorer(text.EDITION, 2 + 6 * TEXTS, text.LONGEST, text.prepare, _texts)
SAFETY = Scorer(safety.EDITION, len(safety.KINDS), 2 * safety.SIDE, _prepare, safety.judge)


def nearest(features: np.ndarray, k: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """For block after block of rows of length one, the k nearest others: their cosines and places, nearest first."""
    k = min(k, len(features) - 1)
    for start in range(0, len(features), BLOCK) if k > 0 else ():
        close = features[start : start + BLOCK] @ features.T
        rows = np.arange(len(close))
        close[rows, start + rows] = -2  # not itself
        places = np.argpartition(-close, k - 1, axis=1)[:, :k]
        cosines = np.take_along_axis(close, places, 1)
        order = np.argsort(-cosines, axis=1, kind="stable")
        yield np.take_along_axis(cosines, order, 1), np.take_along_axis(places, order, 1)


def box(values: np.ndarray) -> list[float]:
    """A box as it is kept beside a finding: left, top, width, height as shares of the picture."""
    return [round(float(one), 4) for one in values[:4]]
