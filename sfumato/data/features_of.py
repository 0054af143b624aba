"""What the pictures of datasets look like to EfficientNet-lite0: 1,280 numbers each, kept by content hash.

Pictures are laid on white and brought to a square without keeping their proportions, so that no border is added.
"""

from collections.abc import Callable, Generator, Sequence
from typing import Any

import numpy as np
from PIL import Image

from sfumato.actions import Workspace
from sfumato.data.scoring import Scorer, scores_of, watch
from sfumato.features.encoders import efficientnet_lite0
from sfumato.jobs import Progress

SIDE = efficientnet_lite0.SIDE
EDITION = f"efficientnet_lite0-{SIDE}-1"


def _prepare(picture: Image.Image) -> np.ndarray:
    return np.asarray(picture.resize((SIDE, SIDE), Image.Resampling.BICUBIC, reducing_gap=3.0))


def _run(pictures: list[Any]) -> np.ndarray:
    return efficientnet_lite0.encode(np.stack(pictures))


FEATURES = Scorer(EDITION, efficientnet_lite0.DIM, 2 * SIDE, _prepare, _run)


def features_of(
    workspace: Workspace, sha256s: Sequence[str], progress: Callable[[Progress], None] | None = None
) -> np.ndarray:
    """Features (n, 1280) float32 of kept contents, in the order given; all zeros for what cannot be seen.

    What was looked at before is not looked at again, and what is done so far stays, also after kill -9.
    """
    return scores_of(workspace, FEATURES, sha256s, progress)


def watch_features(workspace: Workspace, sha256s: Sequence[str]) -> Generator[Progress, None, np.ndarray]:
    """The same for a job: `features = yield from watch_features(...)`."""
    return watch(workspace, FEATURES, sha256s)


def unit(features: np.ndarray) -> np.ndarray:
    """The same rows of length one, so that their products are cosines; rows of zeros stay so."""
    lengths = np.linalg.norm(features, axis=1, keepdims=True)
    return features / np.where(lengths > 0, lengths, 1)
