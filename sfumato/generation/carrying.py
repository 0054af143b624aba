"""Writing a model for other programs; ONNX and LiteRT are kept only when they draw what torch draws."""

import contextlib
import hashlib
import os
import shutil
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from sfumato.checkpoints.adapters import Adapter, read_whole, write_kohya, write_peft
from sfumato.checkpoints.derived import MADE, denoiser_of, folder_of
from sfumato.checkpoints.folder_adapters import modules_of, write_kohya_of_folder, write_peft_of_folder
from sfumato.checkpoints.folders import ARCHITECTURE as FOLDER
from sfumato.checkpoints.header import Header, read_tensors, write_checkpoint
from sfumato.checkpoints.models import ModelView
from sfumato.errors import Damaged, Unsupported
from sfumato.generation.litert import write_litert
from sfumato.generation.stock import digest, write_folder
from sfumato.store.files import write_whole

TOLERANCE = 1e-4  # largest difference between onnxruntime and torch; pixels lie in [-1, 1]
TRIES = ((1, 1), (2, 5), (3, 20))  # pictures and words of the inputs that are compared
SEED = 0


def carry(model: ModelView, form: str, target: Path) -> dict[str, Any]:
    """Write a model in a form of `portable.FORMS`; returns path, bytes, SHA-256 and, for ONNX, the difference found."""
    told: dict[str, Any] = {}
    if form == "safetensors":
        write_checkpoint(target, read_whole(model.path), alone(model.header))
    elif form == "onnx":
        told = {"difference": _write_onnx(model, target), "tolerance": TOLERANCE}
    elif form == "litert":
        told = write_litert(model, target)
    elif form == "diffusers":
        if model.header.architecture == FOLDER:
            return write_composed(model, target)
        told = write_folder(model, target)
        size, sha256 = digest(target)
        return {"path": str(target), "bytes": size, "sha256": sha256, **told}
    else:
        facts = model.header.adapter
        adapter = Adapter(read_tensors(model.path), int(facts["rank"]), float(facts["alpha"]))
        if model.header.architecture == FOLDER:
            shapes = modules_of(model.path, denoiser_of(model.header))
            write = write_peft_of_folder if form == "peft" else write_kohya_of_folder
            target = write(target, adapter, model.header, shapes)
        else:
            target = (write_peft if form == "peft" else write_kohya)(target, adapter, model.header)
    data = target.read_bytes()
    return {"path": str(target), "bytes": len(data), "sha256": hashlib.sha256(data).hexdigest(), **told}


def write_composed(model: ModelView, target: Path) -> dict[str, Any]:
    """Write the folder of diffusers that a model stands for, with what is beside it merged, whole or not at all."""
    folder = folder_of(model.path)
    target.parent.mkdir(parents=True, exist_ok=True)
    draft = Path(tempfile.mkdtemp(dir=target.parent, prefix=".draft-"))
    try:
        shutil.copytree(folder, draft, dirs_exist_ok=True)
        write_whole(draft / MADE, model.header.model_dump_json(indent=2).encode())  # whose it is travels along
        draft.chmod(0o755)
        os.replace(draft, target)
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    size = sum(path.stat().st_size for path in target.rglob("*") if path.is_file())
    return {"path": str(target), "bytes": size, "sha256": model.sha256}


def alone(header: Header) -> Header:
    """The header of weights that need no parent beside them any more; whose child they are is still said."""
    return header.model_copy(update={"adapter": {}, "format": 1})


def _write_onnx(model: ModelView, target: Path) -> float:
    """Export, compare in onnxruntime, and only then give the file its place; returns the largest difference."""
    try:
        import onnx
        import torch

        from sfumato.generation import export
        from sfumato.generation.engines.torch_local import ARCHITECTURES, build
    except ModuleNotFoundError as missing:
        raise Unsupported(f"Writing ONNX needs {missing.name}, which is not installed.") from missing
    header = alone(model.header)
    net = build(model.header, model.path)
    with contextlib.redirect_stdout(None), contextlib.redirect_stderr(open(os.devnull, "w")):  # the exporter's chatter
        made = export.traced(header, net)
    export.forget_exporter(made)
    onnx.helper.set_model_props(made, {"sfumato": header.model_dump_json(), "sha256": model.sha256})
    data = made.SerializeToString()
    with tempfile.TemporaryDirectory() as folder:
        trial = Path(folder) / "trial.onnx"
        trial.write_bytes(data)
        torch.manual_seed(SEED)
        options = ARCHITECTURES.get(header.architecture).Options.model_validate(header.options)
        example = ARCHITECTURES.get(header.architecture).example(options, max(TRIES)[0])
        found = max(_apart(trial, net, cut(example, count, words)) for count, words in TRIES)
    if not found <= TOLERANCE:
        raise Damaged(
            f"onnxruntime draws something else than torch: {found:.2g} apart, and {TOLERANCE} is let pass.",
            hint="Nothing was written. Take --to safetensors, and tell us of the model.",
        )
    write_whole(target, data)
    return found


def cut(example: tuple[Any, ...], count: int, words: int) -> dict[str, Any]:
    """The first `count` pictures of an example with at most so many words: its inputs by place."""
    return {str(place): one[:count, :words] if place in (2, 3) else one[:count] for place, one in enumerate(example)}


def _apart(path: Path, net: Any, given: dict[str, Any]) -> float:
    """The largest difference between what onnxruntime and torch make of the same inputs."""
    import onnxruntime
    import torch

    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    names = [one.name for one in session.get_inputs()]
    with torch.inference_mode():
        expected = net(*given.values()).numpy()
    drawn = session.run(None, {name: one.numpy() for name, one in zip(names, given.values(), strict=True)})[0]
    return float(np.abs(drawn - expected).max())
