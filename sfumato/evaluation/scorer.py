"""Which name a picture shows, by a judge of two towers: picture features and sentence features in one space.

A picture's features come from EfficientNet-lite0 and are projected where names differ most (linear discriminant
analysis, Fisher 1936); a name's come from MiniLM and go through a network of one hidden layer. It learnt from icon
sets that no generator here is trained on (its file says which), made small, blurred and noisy as drawings are.
Trained by `python -m sfumato.evaluation.train_scorer`; used by numpy alone. Names that it has not learnt are judged
by their meaning alone, much less surely.
"""

import functools
import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from sfumato.errors import Damaged
from sfumato.features.encoders import efficientnet_lite0, minilm

FORMAT = 1
WEIGHTS = Path(__file__).parent / "weights" / "scorer.safetensors"


@dataclass(frozen=True, eq=False)
class Scorer:
    """The two towers' weights, and what their file says of them."""

    weights: dict[str, np.ndarray]
    told: dict[str, Any]
    sha256: str

    def see(self, features: np.ndarray) -> np.ndarray:
        """Picture features (N, 1280) of EfficientNet-lite0 as (N, 384) of length one."""
        return _unit((features - self.weights["mean"]) @ self.weights["project"])

    def read(self, embedded: np.ndarray) -> np.ndarray:
        """Sentence features (N, 384) of MiniLM as (N, 384) of length one."""
        w = self.weights
        x = _unit(embedded - w["words_mean"])
        x = np.maximum(x @ w["words_hidden"] + w["words_hidden_bias"], 0)
        return _unit(x @ w["words_out"] + w["words_out_bias"])


def _unit(values: np.ndarray) -> np.ndarray:
    return values / np.linalg.norm(values, axis=1, keepdims=True).clip(1e-9)


@functools.cache
def load(path: Path = WEIGHTS) -> Scorer:
    """The judge that ships with Sfumato; raises Damaged when its file cannot be read."""
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, "np") as found:
            told = json.loads((found.metadata() or {})["sfumato_scorer"])
            weights = {name: found.get_tensor(name).astype(np.float32) for name in found.keys()}  # noqa: SIM118
    except (OSError, SafetensorError, KeyError, ValueError) as problem:
        raise Damaged(f"{path.name} cannot be read as the judge's weights.", hint="Install Sfumato anew.") from problem
    if told["format"] > FORMAT:
        raise Damaged(f"{path.name} has format {told['format']}.", hint="Install the newer Sfumato.")
    return Scorer(weights, told, hashlib.sha256(path.read_bytes()).hexdigest())


def see_pictures(pictures: np.ndarray) -> np.ndarray:
    """Premultiplied pictures (N, S, S, 4) uint8 as (N, 384) of length one."""
    scorer = load()
    return scorer.see(efficientnet_lite0.encode(pictures))


def read_names(names: Sequence[str]) -> np.ndarray:
    """Names as (N, 384) of length one; a picture's cosine to its own name should be the highest."""
    return load().read(np.stack([embed_name(name) for name in names]))


@functools.lru_cache(maxsize=20_000)
def embed_name(name: str) -> np.ndarray:
    """MiniLM's features (384) of one name, remembered: all names are read for every group."""
    return minilm.encode([name])[0]
