"""Generators of Keras and TensorFlow: what is taken of them, told without opening it here, and the process that can.

A SavedModel is a program, and a .keras file may name code. So neither is opened in this process: a file that names
code, or a program that reads or writes files or calls Python, is refused, and the rest runs in a peer.
"""

import json
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sfumato.checkpoints.peers import Peer, named_python
from sfumato.errors import Damaged, InvalidInput, NotFound, Unsupported
from sfumato.settings import read_settings

ARCHITECTURE = "tensorflow"  # what the header of such a file says
PEER = Path(__file__).parent / "tensorflow_peer.py"
NEEDED = "In an environment of its own: pip install tensorflow-cpu"
QUIET = {"TF_CPP_MIN_LOG_LEVEL": "2", "TF_ENABLE_ONEDNN_OPTS": "1"}
PROGRAM, KERAS = "saved_model.pb", "model.keras"
IN_KERAS = {"config.json", "metadata.json", "model.weights.h5"}
LONGEST = 200_000_000  # bytes of a program or of a file's configuration
REACHING_OUT = (  # operations by which a program leaves its tensors (tensorflow.org, "using TensorFlow securely")
    b"PyFunc", b"PyFuncStateless", b"EagerPyFunc", b"ReadFile", b"WriteFile", b"MatchingFiles", b"WholeFileReader",
    b"TextLineDataset", b"TFRecordDataset", b"FixedLengthRecordDataset", b"LoadDataset", b"SaveDataset",
    b"DebugIdentity", b"PrintV2", b"RpcCall",
)  # fmt: skip
OF_ITSELF = 0.6  # gigabytes that TensorFlow takes before there are weights


@dataclass(frozen=True)
class Generator:
    """A generator that takes noise (B, latent) and draws (B, S, S, C), with values from `low` to 1."""

    latent: int
    size: int
    channels: int
    low: float
    parameters: int

    def facts(self) -> dict[str, Any]:
        """What a checkpoint's header says of it."""
        return {
            "latent": self.latent, "size": self.size, "channels": self.channels, "low": self.low,
            "parameters": self.parameters, "memory_gb": round(OF_ITSELF + 8 * self.parameters / 1e9, 2),
        }  # fmt: skip


def is_generator(source: Path) -> bool:
    """Whether a .keras file or a SavedModel's folder is meant."""
    return (source.is_file() and source.suffix == ".keras") or (source / PROGRAM).is_file()


def files_of(source: Path) -> dict[str, Path]:
    """The files of it that are taken, by the names under which they are kept.

    Raises InvalidInput for what names code or reaches out of its tensors, NotFound where a part is missing.
    """
    if source.is_file():
        _check_keras(source)
        return {KERAS: source}
    program = source / PROGRAM
    if program.stat().st_size > LONGEST:
        raise InvalidInput(f"{PROGRAM} has {program.stat().st_size:,} bytes, which is absurd.")
    data = program.read_bytes()
    found = [name.decode() for name in REACHING_OUT if name in data]
    if found:
        raise InvalidInput(
            f"The program in {source.name} leaves its tensors ({', '.join(found)}): it could read or write anything.",
            hint="Export the generator alone, without what fed it with data.",
        )
    parts = sorted(path for path in (source / "variables").glob("variables.*") if path.is_file())
    if not any(path.name == "variables.index" for path in parts):
        raise NotFound(f"There is no variables/variables.index in {source}.", hint="A SavedModel has one.")
    return {PROGRAM: program, **{f"variables/{path.name}": path for path in parts}}


def _check_keras(source: Path) -> None:
    try:
        with zipfile.ZipFile(source) as archive:
            names = {one.filename: one.file_size for one in archive.infolist()}
            if set(names) != IN_KERAS or names["config.json"] > LONGEST:
                raise InvalidInput(
                    f"{source.name} holds {', '.join(sorted(names))[:200]}, not {', '.join(sorted(IN_KERAS))}.",
                    hint="Write it with model.save('NAME.keras') of Keras 3.",
                )
            config = json.loads(archive.read("config.json"))
    except (zipfile.BadZipFile, ValueError, RecursionError) as problem:
        raise Damaged(f"{source.name} is not a file of Keras 3: {problem}.") from problem
    if codes := sorted(set(_code_in(config))):
        raise InvalidInput(
            f"{source.name} names code that comes with it: {', '.join(codes)[:200]}.",
            hint="Code that comes with a model is not run here. Build it of Keras's own layers.",
        )


def _code_in(config: Any) -> list[str]:
    """Classes of a configuration that are not Keras's own, and lambdas."""
    if isinstance(config, list):
        return [name for one in config for name in _code_in(one)]
    if not isinstance(config, dict):
        return []
    found = [name for one in config.values() for name in _code_in(one)]
    module, name = config.get("module"), config.get("class_name")
    if name in ("Lambda", "__lambda__") or config.get("registered_name") not in (None, name):
        found.append(str(config.get("registered_name") or name))
    elif isinstance(module, str) and module != "builtins" and module.partition(".")[0] != "keras":
        found.append(f"{module}.{name}")
    return found


def peer_of(target: Path, memory_gb: float = 0.0) -> Peer:
    """The process that opens a model; raises Unsupported where no environment with TensorFlow is named."""
    said = named_python(read_settings().tensorflow_python, "SFUMATO_TENSORFLOW_PYTHON")
    if said is None:
        raise Unsupported(
            "This model needs TensorFlow in an environment of its own, and none is named.",
            hint=f"{NEEDED}. Then set SFUMATO_TENSORFLOW_PYTHON to its python.",
        )
    return Peer(said, PEER, target, "TensorFlow", NEEDED, memory_gb, QUIET)


def look_into(source: Path) -> Generator:
    """Open a model in its peer and say what it is, by a few drawings.

    Raises Unsupported without TensorFlow, Damaged where it is not opened, InvalidInput for pictures of a strange shape.
    """
    peer = peer_of(source)
    try:
        peer.ask({"look": 0})
        told = peer.hear()
    finally:
        peer.close()
    height, width, channels = told["shape"]
    if height != width or not 8 <= height <= 4096:
        raise InvalidInput(f"It draws {width} × {height} pixels; square pictures of 8 to 4096 are taken.")
    if not told["highest"] <= 1.01 or not told["lowest"] >= -1.01:  # also where they are no numbers
        raise InvalidInput(
            f"It draws values from {told['lowest']:.3g} to {told['highest']:.3g}, not within [-1, 1] or [0, 1].",
            hint="Let its last layer be a tanh or a sigmoid.",
        )
    low = -1.0 if told["lowest"] < -0.01 else 0.0
    return Generator(int(told["latent"]), int(height), int(channels), low, int(told["parameters"]))
