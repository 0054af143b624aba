"""Taking in what others trained: a folder of diffusers, or a generator of Keras or TensorFlow, under its licence.

Of a single file it is said what it is; it has no tokenizer, so that it is drawn with only as a folder.
"""

import time
from pathlib import Path
from typing import Any

import numpy as np

import sfumato
from sfumato.actions import Workspace
from sfumato.checkpoints import tensorflow
from sfumato.checkpoints.adding import check_licence
from sfumato.checkpoints.folders import ARCHITECTURE, INDEX, keep_folder, look_into
from sfumato.checkpoints.foreign import recognise
from sfumato.checkpoints.header import Header
from sfumato.errors import InvalidInput, NotFound

STEPS = 20  # of which a picture's time is told
ADOPTED = "adopted"
UNKNOWN = "weights of a kind"


def drawn_elsewhere(source: Path) -> bool:
    """Whether a folder of diffusers or a generator of TensorFlow is meant; raises NotFound for another folder."""
    if tensorflow.is_generator(source):
        return True
    if source.is_dir() and not (source / INDEX).is_file():
        raise NotFound(
            f"There is neither {INDEX} nor {tensorflow.PROGRAM} in {source}.",
            hint="A folder of diffusers has the one, a SavedModel of TensorFlow the other.",
        )
    return source.is_dir()


def take_in(
    workspace: Workspace, source: Path, licence: str, maker: str, data: dict[str, Any] | None = None
) -> tuple[str, Header]:
    """Check what somebody's own library draws with, and keep it; returns the hash of what is kept, and its header.

    `data` are the facts of the version that a generator of TensorFlow learnt from, if that is here; otherwise its maker
    has not disclosed it. Raises what `look_into` raises, and InvalidInput where no licence is said.
    """
    about = {"file": source.name, "licence": check_licence(licence), "maker": " ".join(maker.split())}
    if tensorflow.is_generator(source):
        architecture, files = tensorflow.ARCHITECTURE, tensorflow.files_of(source)
        options = tensorflow.look_into(source).facts()
    else:
        found = look_into(source)
        architecture, files, options = ARCHITECTURE, found.files, found.facts()
    header = Header(
        architecture=architecture, options=options, recipe=ADOPTED, recipe_options=about,
        data=data or {"undisclosed": True, "licence": about["licence"]}, code=sfumato.__version__,
    )  # fmt: skip
    return keep_folder(workspace.store, files, header), header


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


def refuse_options(source: Path, architecture: str, data: str) -> None:
    """Raise InvalidInput for what is said of a network of ours, where others draw."""
    if architecture:
        raise InvalidInput(f"{source.name} says itself what its network is.", hint="Leave out --architecture.")
    if data and not tensorflow.is_generator(source):
        raise InvalidInput(
            "A folder of diffusers does not say what it learnt from, and is taken as it is.", hint="Leave out --data."
        )
