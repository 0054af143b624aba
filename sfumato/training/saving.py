"""What a run keeps of its weights: its state in two generations, and checkpoints for others."""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from sfumato.checkpoints.adapters import read_whole
from sfumato.checkpoints.header import Header, write_checkpoint
from sfumato.models.fitting import put_into
from sfumato.store.files import write_whole
from sfumato.training.loop import Learner


def save_state(folder: Path, learner: Learner) -> None:
    """Keep everything the next step depends on; the state before it stays until this one is whole."""
    facts = {"samples_seen": str(learner.samples_seen), "machine": learner.machine.model_dump_json()}
    data = save({name: tensor.contiguous() for name, tensor in learner.state().items()}, facts)
    target = folder / f"state-{learner.samples_seen:012d}.safetensors"
    write_whole(target, data)
    write_whole(target.with_suffix(".sha256"), hashlib.sha256(data).hexdigest().encode())
    for old in sorted(folder.glob("state-*.safetensors"))[:-2]:
        old.unlink()
        old.with_suffix(".sha256").unlink(missing_ok=True)


def newest_state(folder: Path) -> tuple[dict[str, Tensor], dict[str, str]] | None:
    """The newest state that is whole, passing over one that a crash left broken."""
    for path in sorted(folder.glob("state-*.safetensors"), reverse=True):
        named = path.with_suffix(".sha256")
        if not named.exists() or hashlib.sha256(path.read_bytes()).hexdigest() != named.read_text():
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
