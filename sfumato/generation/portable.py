"""Models for other programs: asking for an export. What writes it needs torch and is in `carrying`."""

import hashlib
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

from sfumato.actions import Act, Workspace, action
from sfumato.checkpoints.elsewhere import engine_of
from sfumato.checkpoints.folders import ARCHITECTURE as FOLDER
from sfumato.checkpoints.models import ModelView, find_model
from sfumato.errors import Conflict, InvalidInput, Unsupported, unknown
from sfumato.generation.litert import interpreter
from sfumato.generation.stock import STOCK, why_not
from sfumato.jobs import JobView, enqueue

FORMS = {
    "safetensors": "all weights as float32, an adapter's merged into its parent's",
    "onnx": "the network with its weights, compared with torch before it is kept",
    "peft": "an adapter as a folder: adapter_config.json and adapter_model.safetensors",
    "kohya": "an adapter as one .safetensors file",
    "litert": "a generator for phones and small devices (.tflite), compared with torch before it is kept",
    "diffusers": "a folder of diffusers' own classes, with scheduler, codec, text encoder and tokenizer",
}
Form = Literal["safetensors", "onnx", "peft", "kohya", "litert", "diffusers"]
FOLDERS = ("peft", "diffusers")  # what is written as a folder; the rest are files that end so:
ENDINGS = {"safetensors": ".safetensors", "onnx": ".onnx", "kohya": ".safetensors", "litert": ".tflite"}
EXPORTERS = "pip install 'sfumato[train]' onnx onnxscript"


def export_model(workspace: Workspace, *, name: str, form: str, target: str | Path) -> JobView:
    """Ask for a model, or the model of a run, to be written for other programs; a job does it.

    `target` is a file with the form's ending, or a folder in which the file gets the model's name. Raises Conflict
    where something lies there, InvalidInput for a form that the model cannot take, and Unsupported where
    ONNX cannot be written here.
    """
    if form not in FORMS:
        raise unknown("form of export", form, FORMS)
    model = find_model(workspace, name)
    if (library := engine_of(model.header)) and not _leaves_as_folder(model, form):
        raise InvalidInput(
            f"The model '{name}' was taken in as it is ({library}), and is not written in another form.",
            hint="A folder leaves by --to diffusers, and what learnt beside it by --to peft or kohya."
            if model.header.architecture == FOLDER
            else "Hand on what it was taken in from; the record has its hash.",
        )
    if form in ("peft", "kohya") and not model.header.adapter:
        raise InvalidInput(
            f"The model '{name}' is no adapter, so it has no {form} layout.", hint="--to safetensors or --to onnx"
        )
    if form == "onnx":
        _check_onnx()
    if form == "litert":
        _check_litert(model)
    if form == "diffusers" and not library and (why := why_not(model.header)):
        raise InvalidInput(
            f"The model '{name}' has no place in diffusers. {why}",
            hint=f"One that has: sfumato train flow --data NAME --name RUN --architecture {STOCK}",
        )
    path = Path(target).expanduser().absolute()
    if form in FOLDERS:
        if path.exists() and (not path.is_dir() or any(path.iterdir())):
            raise Conflict(f"{path} holds something already; nothing was written.", hint="Name a new folder.")
    elif path.suffix != ENDINGS[form]:
        if path.suffix in ENDINGS.values() or path.is_file():
            raise InvalidInput(f"{path.name} does not end with {ENDINGS[form]}.", hint="Name a file or a folder.")
        path = path / f"{model.name}{ENDINGS[form]}"
    if path.is_file():
        raise Conflict(f"{path} is there already; nothing was written.", hint="Name another file.")
    if path.is_relative_to(workspace.path):
        raise InvalidInput("An export inside of the workspace is lost with it.", hint="Name a place outside of it.")
    return _ask(workspace, model=model, form=form, target=str(path))


def _leaves_as_folder(model: ModelView, form: str) -> bool:
    """Whether a model of diffusers' own classes can be written so: whole as a folder, or what is beside one."""
    return model.header.architecture == FOLDER and (
        form == "diffusers" or (form in ("peft", "kohya") and bool(model.header.adapter))
    )


def _check_onnx() -> None:
    for needed in ("torch", "onnx", "onnxscript"):
        if find_spec(needed) is None:  # looked for only: to import them takes seconds, and is the job's
            raise Unsupported(f"Writing ONNX needs {needed}, which is not installed.", hint=EXPORTERS)


def _check_litert(model: ModelView) -> None:
    if "latent" not in model.header.options:  # what only networks of one call draw from
        raise InvalidInput(
            f"The model '{model.name}' draws in many steps, and LiteRT takes generators that draw in one call.",
            hint="Train one with sfumato train r3gan, or take --to onnx.",
        )
    interpreter()


@action("model.export", needs="training.write", doors=("cli",))
def _ask(act: Act, *, model: ModelView, form: str, target: str) -> JobView:
    """Write a model for other programs: all weights as safetensors, ONNX, or an adapter as PEFT or kohya have it."""
    spec = {"model": model.name, "sha256": model.sha256, "form": form, "target": target}
    key = "generation.export_model:" + hashlib.sha256(repr(sorted(spec.items())).encode()).hexdigest()
    act.says(f"asked to export {model.name} as {form}", subject=model.ref)
    return enqueue(act, kind="generation.export_model", spec=spec, key=key)
