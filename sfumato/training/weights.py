"""Weights of any framework as one safetensors file that says what it is. Loads torch only for torch's tensors.

A file that is no safetensors is wrapped as it is, unopened, in one that names it: what a pickle would run is never run.
"""

import hashlib
import json
import os
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError, safe_open

from sfumato.checkpoints.header import LONGEST, Header
from sfumato.errors import Damaged, InvalidInput, NotFound
from sfumato.store import Store
from sfumato.store.files import draft

FILE = "file"  # the architecture of a file that is kept unopened


def as_safetensors(weights: Any, header: Header) -> bytes:
    """A state dict, module or Keras model as the bytes of a safetensors file; raises InvalidInput for anything else."""
    tensors = dict(_named(_state_of(weights)))
    if not tensors:
        raise InvalidInput("There is nothing to keep: the state dict is empty.")
    said = {"sfumato": header.model_dump_json()}
    if any(_is_torch(one) for one in tensors.values()):
        import torch
        from safetensors.torch import save as save_torch

        alone = {name: torch.as_tensor(one).detach().cpu().clone().contiguous() for name, one in tensors.items()}
        return bytes(save_torch(alone, said))
    from safetensors.numpy import save as save_arrays

    try:
        return bytes(save_arrays({name: np.ascontiguousarray(one) for name, one in tensors.items()}, said))
    except (KeyError, SafetensorError) as problem:
        raise InvalidInput(f"These weights are of a kind that safetensors does not know: {problem}.") from problem


def _state_of(weights: Any) -> Mapping[str, Any]:
    if isinstance(weights, Mapping):
        return weights
    if callable(getattr(weights, "state_dict", None)):
        return dict(weights.state_dict())
    if callable(getattr(weights, "get_weights", None)):  # Keras
        return {str(getattr(one, "path", one.name)): np.asarray(one) for one in weights.weights}
    raise InvalidInput(
        f"A {type(weights).__name__} cannot be kept as a checkpoint.",
        hint="Give a state dict, a PyTorch module, a Keras model, or the path of a file.",
    )


def _named(state: Mapping[str, Any], before: str = "") -> Iterator[tuple[str, Any]]:
    """Every tensor by its name, those of dictionaries in it with dots between."""
    for key, one in state.items():
        name = f"{before}{key}"
        if isinstance(one, Mapping):
            yield from _named(one, f"{name}.")
        elif _is_torch(one) or isinstance(one, (np.ndarray, np.generic, bool, int, float)):
            yield name, one if _is_torch(one) else np.asarray(one)
        else:
            raise InvalidInput(
                f"The entry '{name}' is a {type(one).__name__}; a checkpoint holds arrays, tensors and numbers.",
                hint="Keep the rest beside it: run.log(...) takes figures, run.checkpoint(path) any file.",
            )


def _is_torch(one: Any) -> bool:
    return type(one).__module__.partition(".")[0] == "torch"


def keep_file(store: Store, path: Path, header: Header) -> str:
    """Keep a file with `header` in it, and return the hash of what is kept; the file itself stays as it is.

    The tensors of a safetensors file are copied byte for byte; any other file is wrapped unopened. Raises NotFound,
    Damaged for a safetensors file that does not hold what it says, and NoSpace.
    """
    if not path.is_file():
        raise NotFound(f"There is no file {path}.", hint="Name a file of weights.")
    told: dict[str, Any] = {}
    start = 0
    if path.suffix == ".safetensors":
        told, start = _entries(path)
    else:
        told = {FILE: {"dtype": "U8", "shape": [path.stat().st_size], "data_offsets": [0, path.stat().st_size]}}
    text = json.dumps({"__metadata__": {"sfumato": header.model_dump_json()}, **told}, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    with draft(store.root / "incoming") as target, path.open("rb") as source:
        target.write(len(text).to_bytes(8, "little") + text)
        source.seek(start)
        shutil.copyfileobj(source, target, 1 << 20)
        target.flush()
        os.fsync(target.fileno())
        return store.put_file(Path(target.name))


def _entries(path: Path) -> tuple[dict[str, Any], int]:
    """The entries of a safetensors file, checked against what it holds, and where its tensors begin."""
    try:
        with path.open("rb") as stream:
            length = int.from_bytes(stream.read(8), "little")
            if not 2 <= length <= LONGEST:
                raise InvalidInput(
                    f"{path.name} is not a safetensors file: its header would be {length:,} bytes long.",
                    hint=f"Sfumato reads headers of up to {LONGEST:,} bytes.",
                )
            described = json.loads(stream.read(length))
        with safe_open(path, "np"):  # its own check: offsets, kinds and shapes fit, nothing overlaps or is missing
            pass
    except (SafetensorError, ValueError, RecursionError) as problem:
        raise Damaged(f"{path.name} does not hold what it says: {problem}.", hint="Fetch or copy it again.") from None
    described.pop("__metadata__", None)
    return described, 8 + length


def hash_of(path: Path) -> str:
    """The SHA-256 of a file; raises NotFound."""
    digest = hashlib.sha256()
    try:
        with path.open("rb") as stream:
            while block := stream.read(1 << 20):
                digest.update(block)
    except OSError as problem:
        hint = "Name a file of weights, or a folder of diffusers."
        raise NotFound(f"{path} cannot be read: {problem.strerror}.", hint=hint) from problem
    return digest.hexdigest()
