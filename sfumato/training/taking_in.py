"""Taking in what others trained: a folder of diffusers, under the licence that its maker gives it.

Of a single file it is said what it is; it has no tokenizer, so that it is drawn with only as a folder.
"""

import time
from pathlib import Path
from typing import Any

import numpy as np

import sfumato
from sfumato.actions import Workspace
from sfumato.checkpoints.adding import check_licence
from sfumato.checkpoints.folders import ARCHITECTURE, INDEX, Folder, keep_folder, look_into
from sfumato.checkpoints.foreign import recognise
from sfumato.checkpoints.header import Header
from sfumato.errors import InvalidInput, NotFound

STEPS = 20  # of which a picture's time is told
ADOPTED = "adopted"
UNKNOWN = "weights of a kind"


def is_folder(source: Path) -> bool:
    """Whether a folder of diffusers is meant; raises NotFound for a folder that is none."""
    if source.is_dir() and not (source / INDEX).is_file():
        raise NotFound(f"There is no {INDEX} in {source}.", hint="A folder of diffusers has one.")
    return source.is_dir()


def take_in(workspace: Workspace, source: Path, licence: str, maker: str) -> tuple[str, Header, Folder]:
    """Check a folder and keep it; returns the hash of what is kept, its header, and what it takes to draw with it.

    Raises what `look_into` raises, and InvalidInput where no licence is said.
    """
    about = {"file": source.name, "licence": check_licence(licence), "maker": " ".join(maker.split())}
    found = look_into(source)
    header = Header(
        architecture=ARCHITECTURE, options=found.facts(), recipe=ADOPTED, recipe_options=about,
        data={"undisclosed": True, "licence": about["licence"]}, code=sfumato.__version__,
    )  # fmt: skip
    return keep_folder(workspace.store, found.files, header), header, found


def known_kind(source: Path, licence: str) -> str:
    """What a single file of somebody else's network is, in words, or "" where that is not known.

    Raises InvalidInput where it is known and no licence is said.
    """
    found = recognise(source)
    if found.kind.startswith(UNKNOWN) or found.kind == "an adapter":
        return ""
    check_licence(licence)
    return found.words


def takes(options: dict[str, Any], gflops_a_second: float) -> str:
    """What drawing one picture with a folder takes, in words: memory, and time at so many operations a second."""
    seconds = STEPS * float(options["step_gflops"]) / gflops_a_second
    told = f"{seconds:,.0f} seconds" if seconds < 120 else f"{seconds / 60:,.0f} minutes"
    return (
        f"about {options['memory_gb']:,.1f} GB of memory and {told if seconds >= 1 else 'a second'} for {STEPS} steps"
    )


def speed() -> float:
    """Thousand million operations a second of this machine: the best of a few products of matrices."""
    one = np.ones((768, 768), np.float32)
    best = np.inf
    for _ in range(4):
        begun = time.perf_counter()
        one @ one
        best = min(best, time.perf_counter() - begun)
    return 2 * 768**3 / best / 1e9


def refuse_options(architecture: str, data: str) -> None:
    """Raise InvalidInput for what is said of a network of ours, of which a folder of diffusers is none."""
    if architecture or data:
        raise InvalidInput(
            "A folder of diffusers says itself what its network is, and not what it learnt from.",
            hint="Leave out --architecture and --data.",
        )
