"""Small looks at pictures that are not finished: what the network expects them to become, for whoever waits."""

import base64
import io
import time
from collections.abc import Sequence

import numpy as np
from PIL import Image as Picture

SIDE = 32  # pixels of a preview's side at most
MOST = 8  # pictures of a batch that are previewed
EVERY = 0.3  # seconds between two looks: progress is written no more often anyway
QUALITY = 60


class Unfinished:
    """What is being drawn, as it looks so far. It is neither kept nor let out: it lives in the job's progress alone."""

    def __init__(self, places: Sequence[int]) -> None:
        self.places = places
        self._first = 0
        self._expected: np.ndarray | None = None
        self._looked = 0.0
        self._shown: dict[str, str] = {}

    def watch(self, first: int, expected: np.ndarray) -> None:
        """Remember what the network expects of the batch that begins at `first`; costs nothing."""
        self._first, self._expected = first, expected

    def previews(self) -> dict[str, str]:
        """A small JPEG of each picture of the batch, by its place in the request, as base64; made anew in a while."""
        moment = time.monotonic()
        if self._expected is not None and moment - self._looked >= EVERY:
            self._looked = moment
            some = self._expected[:MOST]
            self._shown = {str(self.places[self._first + one]): small(some[one]) for one in range(len(some))}
        return self._shown


def small(expected: np.ndarray) -> str:
    """Premultiplied planes (4, S, S) in [-1, 1], laid on white, as a small JPEG in base64."""
    values = ((expected.transpose(1, 2, 0) + 1) / 2).clip(0, 1)
    laid = values[..., :3] + (1 - values[..., 3:])
    picture = Picture.fromarray((laid.clip(0, 1) * 255 + 0.5).astype(np.uint8))
    picture.thumbnail((SIDE, SIDE))
    out = io.BytesIO()
    picture.save(out, "JPEG", quality=QUALITY)
    return base64.b64encode(out.getvalue()).decode()
