"""What a run keeps of its weights: its state in two generations, and checkpoints for others."""

import hashlib
import itertools
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from sfumato.checkpoints.adapters import read_whole
from sfumato.checkpoints.header import Header, write_checkpoint
from sfumato.models.fitting import put_into
from sfumato.store.files import draft, finish, write_whole
from sfumato.training.loop import Learner
from sfumato.training.weights import hash_of

KINDS = {torch.float64: "F64", torch.float32: "F32", torch.bfloat16: "BF16", torch.float16: "F16", torch.int64: "I64",
         torch.int32: "I32", torch.uint8: "U8", torch.bool: "BOOL"}  # fmt: skip


def save_state(folder: Path, learner: Learner) -> None:
    """Keep everything the next step depends on; the state before it stays until this one is whole."""
    facts = {"samples_seen": str(learner.samples_seen), "machine": learner.machine.model_dump_json()}
    target = folder / f"state-{learner.samples_seen:012d}.safetensors"
    write_whole(target.with_suffix(".sha256"), _write_tensors(target, learner.state(), facts).encode())
    for old in sorted(folder.glob("state-*.safetensors"))[:-2]:
        old.unlink()
        old.with_suffix(".sha256").unlink(missing_ok=True)


def _write_tensors(target: Path, tensors: dict[str, Tensor], facts: dict[str, str]) -> str:
    """Write a safetensors file one tensor after the other, so that no second copy is in memory; returns its SHA-256."""
    names = sorted(tensors, key=lambda name: (-tensors[name].element_size(), name))  # each begins at its own multiple
    entries: dict[str, Any] = {"__metadata__": facts}
    place, digest = 0, hashlib.sha256()
    for name in names:
        one, begins = tensors[name], place
        place += one.nbytes
        entries[name] = {"dtype": KINDS[one.dtype], "shape": list(one.shape), "data_offsets": [begins, place]}
    text = json.dumps(entries, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    head = len(text).to_bytes(8, "little") + text
    with draft(target.parent) as stream:
        for part in itertools.chain([head], (_bytes_of(tensors[name]) for name in names)):
            stream.write(part)
            digest.update(part)
        finish(stream, target)
    return digest.hexdigest()


def _bytes_of(tensor: Tensor) -> Any:
    """What a tensor holds, as bytes that are not copied where it is contiguous."""
    return tensor.detach().contiguous().reshape(-1).view(torch.uint8).numpy()


def newest_state(folder: Path) -> tuple[dict[str, Tensor], dict[str, str]] | None:
    """The newest state that is whole, passing over one that a crash left broken."""
    for path in sorted(folder.glob("state-*.safetensors"), reverse=True):
        named = path.with_suffix(".sha256")
        if not named.exists() or hash_of(path) != named.read_text():
            continue
        try:
            with safe_open(path, "pt") as found:
                return {name: found.get_tensor(name) for name in found.keys()}, found.metadata() or {}  # noqa: SIM118
        except SafetensorError:
            continue
    return None


def export(folder: Path, learner: Learner, length: str, facts: dict[str, Any]) -> tuple[Path, Header, str]:
    """Write averaged weights in bfloat16 with a header that says what they are; returns path, header, SHA-256."""
    header = Header(
        **learner.recipe.describe(learner.options),
        recipe_options=learner.options.model_dump(),
        ema=length,
        samples_seen=learner.samples_seen,
        machine=learner.machine.model_dump(),
        **facts,
    )
    weights = {name: weight.float().numpy() for name, weight in learner.averages[length].weights.items()}
    path = folder / f"checkpoint-{learner.samples_seen:012d}-{length}.safetensors"
    write_checkpoint(path, weights, header, half=getattr(learner.recipe, "HALF", True))
    return path, header, hashlib.sha256(path.read_bytes()).hexdigest()


def begin_from(learner: Learner, parent: Path) -> None:
    """Put a checkpoint's weights into the drawing part of a fresh learner, and both averages; raises InvalidInput."""
    tensors: Mapping[str, Tensor]
    if hasattr(learner.recipe, "weights_of"):  # of somebody else's model, in whose folder its recipe knows its way
        tensors = learner.recipe.weights_of(parent)
    else:
        tensors = {name: torch.from_numpy(values.copy()) for name, values in read_whole(parent).items()}
    if hasattr(learner.recipe, "begin_from"):  # its own weights are beside the parent's
        learner.recipe.begin_from(learner.net, tensors)
        return
    own = dict(learner.drawer.named_parameters())
    put_into(own, tensors)
    with torch.no_grad():
        for average in learner.averages.values():
            for name, mean in average.weights.items():
                mean.copy_(tensors[name])
