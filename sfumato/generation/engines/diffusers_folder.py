"""Drawing with a folder of diffusers that was taken in: a process of its own, in this environment or in another.

SFUMATO_DIFFUSERS_PYTHON names the interpreter of an environment that has diffusers, where this one has not. The folder
lies in the cache while it is used. Its own scheduler takes the steps; a seed is torch's, one stream for each picture.
"""

import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from sfumato.checkpoints.derived import folder_of
from sfumato.checkpoints.folders import ARCHITECTURE
from sfumato.checkpoints.header import read_header
from sfumato.checkpoints.peers import DIFFUSERS, OFFLINE, Peer, diffusers_python
from sfumato.errors import Cancelled, Damaged
from sfumato.generation.drawing import Drawn, Plan, Watch

PEER = Path(__file__).parent.parent / "diffusers_peer.py"


class Loaded:
    """A folder's pipeline in a process of its own, which is begun when it is first needed."""

    def __init__(self, path: Path) -> None:
        self.header = read_header(path)
        if self.header.architecture != ARCHITECTURE:
            raise Damaged(f"{path.name} does not hold a folder of diffusers.")
        self.size = int(self.header.options["size"])
        self._python = diffusers_python()
        self._folder = folder_of(path)
        memory = float(self.header.options.get("memory_gb", 0))
        self._peer = Peer(self._python, PEER, self._folder, "diffusers", DIFFUSERS, memory, OFFLINE)

    def draw(self, plan: Plan, stop: Callable[[], bool], watch: Watch) -> Iterator[Drawn | float]:
        """Yield the share done after every step, and each picture; raises Cancelled within a step."""
        with tempfile.TemporaryDirectory() as out:
            asked = {"caption": plan.understood.caption, "seeds": list(plan.seeds), "steps": plan.steps,
                     "guidance": plan.guidance, "size": self.size, "out": out}  # fmt: skip
            self._peer.ask(asked)
            while not (told := self._peer.hear()).get("done"):
                if stop():
                    self.close()
                    raise Cancelled("The drawing was stopped.", hint="Pictures that were finished are kept.")
                place = int(told.get("place", 0))
                if "file" in told:
                    picture = as_picture(np.load(told["file"], allow_pickle=False))
                    yield Drawn(place, plan.seeds[place], picture, None)
                elif "step" in told:
                    share = place + min(1.0, told["step"] / plan.steps)
                    yield share / len(plan.seeds)

    def close(self) -> None:
        """End the process."""
        self._peer.close()


def as_picture(drawn: np.ndarray) -> np.ndarray:
    """An array (S, S, 3) of values in [0, 1] as opaque RGBA, (S, S, 4) uint8; raises Damaged where it is none."""
    if drawn.ndim != 3 or drawn.shape[2] != 3 or not np.isfinite(drawn).all():
        raise Damaged("diffusers drew something that is no picture.", hint="Its weights may not be sound.")
    colours = (drawn.clip(0, 1) * 255 + 0.5).astype(np.uint8)
    return np.concatenate([colours, np.full_like(colours[..., :1], 255)], -1)


def load(path: Path) -> Loaded:
    """Make ready to draw with a folder that was taken in; raises Unsupported where there is no diffusers."""
    return Loaded(path)
