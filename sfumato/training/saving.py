"""A run's folder: its state in two generations, its log, its previews, and checkpoints for others."""

import hashlib
import io
import json
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from sfumato.checkpoints.adapters import read_whole
from sfumato.checkpoints.header import Header, write_checkpoint
from sfumato.errors import InvalidInput
from sfumato.store.files import write_whole
from sfumato.training.loop import Learner


def prepare(folder: Path) -> None:
    """Make the run's folder if need be, and clear away what a killed attempt had only half written."""
    folder.mkdir(parents=True, exist_ok=True)
    for draft in (*folder.glob(".draft-*"), *folder.glob("checkpoint-*")):
        draft.unlink(missing_ok=True)


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


def log_step(folder: Path, samples_seen: int, *, into: str = "log.jsonl", **figures: Any) -> None:
    """Append a line to the run's log, or to another file beside it."""
    line = json.dumps({"at": round(time.time(), 3), "samples": samples_seen, **figures})
    with (folder / into).open("a") as stream:
        stream.write(line + "\n")


def last_logged(folder: Path) -> dict[str, Any]:
    """The figures of the log's last whole line, so that a run that goes on can show them at once."""
    log = folder / "log.jsonl"
    for line in reversed(log.read_text().splitlines() if log.exists() else []):
        try:
            said = json.loads(line)
        except ValueError:
            continue
        return {key: said[key] for key in ("held_out", "preview") if said.get(key)}
    return {}


def save_preview(folder: Path, samples_seen: int, pictures: np.ndarray) -> Path:
    """Keep a grid of premultiplied pictures (N, S, S, 4) on white as PNG."""
    alpha = pictures[..., 3:].astype(np.float32) / 255
    white = (pictures[..., :3] + (1 - alpha) * 255).clip(0, 255).astype(np.uint8)
    columns = int(np.ceil(len(white) ** 0.5))
    side = white.shape[1]
    grid = np.full((-(-len(white) // columns) * side, columns * side, 3), 255, np.uint8)
    for place, picture in enumerate(white):
        top, left = place // columns * side, place % columns * side
        grid[top : top + side, left : left + side] = picture
    out = io.BytesIO()
    Image.fromarray(grid).resize((grid.shape[1] * 3, grid.shape[0] * 3), Image.Resampling.NEAREST).save(out, "PNG")
    path = folder / "previews" / f"{samples_seen:012d}.png"
    write_whole(path, out.getvalue())
    return path


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
    write_checkpoint(path, weights, header, half=True)
    return path, header, hashlib.sha256(path.read_bytes()).hexdigest()


def begin_from(learner: Learner, parent: Path) -> None:
    """Put a checkpoint's weights into the drawing part of a fresh learner, and both averages; raises InvalidInput."""
    tensors = {name: torch.from_numpy(values.copy()) for name, values in read_whole(parent).items()}
    if hasattr(learner.recipe, "begin_from"):  # its own weights are beside the parent's
        learner.recipe.begin_from(learner.net, tensors)
        return
    own = dict(learner.drawer.named_parameters())
    apart = [name for name in own.keys() | tensors.keys()
             if name not in own or name not in tensors or own[name].shape != tensors[name].shape]  # fmt: skip
    if apart:
        raise InvalidInput(
            f"The parent's weights do not fit this network at '{min(apart)}'.",
            hint="Give the same options as the parent's.",
        )
    with torch.no_grad():
        for name, weight in own.items():
            weight.copy_(tensors[name])
            for average in learner.averages.values():
                average.weights[name].copy_(tensors[name])
