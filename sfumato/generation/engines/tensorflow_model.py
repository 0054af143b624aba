"""Drawing with a generator of Keras or TensorFlow that was taken in, in a process of its own, in its environment.

Noise is Sfumato's: one stream for each seed, so that a picture does not depend on how many were asked for.
"""

import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from sfumato.checkpoints.folders import unpack
from sfumato.checkpoints.header import described_of, read_header
from sfumato.checkpoints.tensorflow import ARCHITECTURE, KERAS, PROGRAM, peer_of
from sfumato.errors import Cancelled, Damaged
from sfumato.generation.drawing import Drawn, Plan, Watch
from sfumato.models.noise import starting_noise

BATCH = 16


class Loaded:
    """A generator in a process of its own, which is begun when it is first needed."""

    def __init__(self, path: Path) -> None:
        self.header = read_header(path)
        if self.header.architecture != ARCHITECTURE:
            raise Damaged(f"{path.name} does not hold a generator of TensorFlow.")
        options = self.header.options
        self.size, self.low = int(options["size"]), float(options["low"])
        self.latent = int(options["latent"])
        index = KERAS if KERAS in described_of(path) else PROGRAM
        folder = unpack(path, path.parents[2] / "cache" / "tensorflow" / path.name, index=index)
        self._peer = peer_of(folder / KERAS if index == KERAS else folder, float(options.get("memory_gb", 0)))

    def draw(self, plan: Plan, stop: Callable[[], bool], watch: Watch) -> Iterator[Drawn | float]:
        """Yield the share done after every batch, and each picture; raises Cancelled between two batches."""
        with tempfile.TemporaryDirectory() as out:
            for start in range(0, len(plan.seeds), BATCH):
                if stop():
                    self.close()
                    raise Cancelled("The drawing was stopped.", hint="Pictures that were finished are kept.")
                seeds = list(plan.seeds)[start : start + BATCH]
                drawn = self._drawn(seeds, Path(out))
                for place, picture in enumerate(drawn, start):
                    yield Drawn(place, plan.seeds[place], as_picture(picture, self.low), None)
                yield (start + len(seeds)) / len(plan.seeds)

    def close(self) -> None:
        """End the process."""
        self._peer.close()

    def _drawn(self, seeds: list[int], out: Path) -> np.ndarray:
        z, given = out / "z.npy", out / "drawn.npy"
        np.save(z, starting_noise(seeds, (self.latent,)).astype(np.float32))
        self._peer.ask({"z": str(z), "out": str(given)})
        self._peer.hear()
        drawn: np.ndarray = np.load(given, allow_pickle=False)
        if len(drawn) != len(seeds) or not np.isfinite(drawn).all():
            raise Damaged("TensorFlow drew something that is no picture.", hint="Its weights may not be sound.")
        return drawn


def as_picture(drawn: np.ndarray, low: float) -> np.ndarray:
    """An array (S, S, 1, 3 or 4) of values from `low` to 1 as RGBA with straight alpha, (S, S, 4) uint8."""
    values = (((drawn - low) / (1 - low)).clip(0, 1) * 255 + 0.5).astype(np.uint8)
    if values.shape[2] == 4:
        return values
    colours = np.repeat(values, 3, 2) if values.shape[2] == 1 else values
    return np.concatenate([colours, np.full_like(colours[..., :1], 255)], -1)


def load(path: Path) -> Loaded:
    """Make ready to draw with a generator that was taken in; raises Unsupported where no TensorFlow is named."""
    return Loaded(path)
