"""Drawing with torch in this process; bfloat16 only where the processor multiplies it."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

from sfumato.catalog import Catalog
from sfumato.checkpoints.adapters import read_whole
from sfumato.checkpoints.header import Header, read_header
from sfumato.errors import Damaged

ARCHITECTURES = Catalog("sfumato.models.architectures", ("Options", "build"))


def build(header: Header, path: Path) -> torch.nn.Module:
    """The network that a checkpoint describes, with its weights."""
    architecture = ARCHITECTURES.get(header.architecture)
    net: torch.nn.Module = architecture.build(architecture.Options.model_validate(header.options))
    weights = {name: torch.from_numpy(values.copy()) for name, values in read_whole(path).items()}
    try:
        net.load_state_dict(weights, strict=True)
    except RuntimeError as problem:
        raise Damaged(f"{path.name} does not hold the network that its header describes.") from problem
    return net.eval().requires_grad_(False)


class Loaded:
    """A network of torch as a function of arrays; one that draws in one call hears of no time and no reference."""

    def __init__(self, path: Path, *, bf16: bool = False) -> None:
        header = read_header(path)
        self.net = build(header, path)
        self.size = int(header.options["size"])
        architecture = ARCHITECTURES.get(header.architecture)
        self.one_call = bool(getattr(architecture, "ONE_CALL", False))
        self.noise_shape = (int(header.options["latent"]),) if self.one_call else (4, self.size, self.size)
        self.leans = bool(getattr(architecture, "LEANS", not self.one_call))
        self.times: Callable[[int], list[float]] | None = getattr(architecture, "times", None)
        self.interval: tuple[float, float] | None = getattr(architecture, "INTERVAL", None)
        self.bf16 = bf16

    def __call__(
        self, z: np.ndarray, t: float, words: np.ndarray, words_on: np.ndarray, reference: np.ndarray, on: np.ndarray
    ) -> np.ndarray:
        given = [torch.from_numpy(one) for one in (z.astype(np.float32), words, words_on, reference, on)]
        with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16, enabled=self.bf16):
            heard = given[:3] if self.one_call else [given[0], torch.full((len(z),), t), *given[1:]]
            drawn = self.net(*heard)
        return drawn.float().numpy()


def load(path: Path) -> Loaded:
    """Load a checkpoint; full precision, so that one seed is one picture in any batch."""
    return Loaded(path)
