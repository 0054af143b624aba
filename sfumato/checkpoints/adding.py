"""Adding a model that was not made here: an adapter of one of ours, under the licence that its maker gives it."""

import re
import tempfile
from pathlib import Path

import numpy as np
from sqlalchemy import select

from sfumato.actions import Act, Workspace, action
from sfumato.actions.registry import require
from sfumato.checkpoints.adapters import CONFIG, Adapter, merge, read_adapter, read_whole
from sfumato.checkpoints.folder_adapters import DIFFUSERS, read_folder_adapter
from sfumato.checkpoints.folders import ARCHITECTURE as FOLDER
from sfumato.checkpoints.foreign import recognise
from sfumato.checkpoints.header import Header, lineage_of, read_shapes, write_checkpoint
from sfumato.checkpoints.models import DEFAULT, LIVE, ModelFacts, ModelView, facts_of, find_model, named
from sfumato.checkpoints.records import Checkpoint, Model
from sfumato.db import link, new_id
from sfumato.errors import Conflict, InvalidInput, NotFound, Unsupported

UNSAID = ("", "NOASSERTION", "NONE")
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,80}")
LONGEST = 200  # letters of a licence


def add_model(workspace: Workspace, *, path: str | Path, name: str, licence: str, base: str = DEFAULT) -> ModelFacts:
    """Add an adapter in PEFT's, kohya's or diffusers' layout as a model: its base's weights with the adapter's change.

    `licence` is an SPDX name or the maker's own words, and must be said. Raises InvalidInput for what does not fit
    the base or is a pickle, Unsupported naming what other weights are, and Conflict where the name is taken.
    """
    require(workspace, "training.write")
    said = check_licence(licence)
    source = Path(path).expanduser()
    if not source.exists():
        raise NotFound(f"There is no {source}.", hint="Name a .safetensors file, or a folder of PEFT.")
    model = find_model(workspace, base)
    _check_kind(source)
    if of_folder := model.header.architecture == FOLDER:
        adapter = read_folder_adapter(source, model.path, model.header)
    else:
        adapter = read_adapter(source, read_shapes_of(model))
        merge(read_whole(model.path), adapter)  # raises where a shape does not fit
    if not all(np.isfinite(values).all() for values in adapter.tensors.values()):
        raise InvalidInput(f"{source.name} holds values that are no numbers.")
    header = Header(
        format=2, architecture=model.header.architecture, recipe="lora",
        options=model.header.options | ({"goes_on": True} if of_folder else {}),
        run="", parent=model.sha256, lineage=lineage_of(model.path, model.sha256),
        data={"undisclosed": True, "licence": said}, adapter=adapter.facts(),
    )  # fmt: skip
    if not workspace.store.has(model.sha256):
        workspace.store.put_file(model.path)
    sha256 = _keep(workspace, adapter, header)
    return _write(workspace, name=name, sha256=sha256, header=header, base=model)


def check_licence(licence: str) -> str:
    """The licence as it was said, without needless space; raises InvalidInput where nothing was."""
    said = " ".join(licence.split())
    if said.upper() in UNSAID or len(said) > LONGEST:
        raise InvalidInput(
            f"The licence must be said, in at most {LONGEST} letters.",
            hint='Ask whoever made it: --licence MIT, or in words: --licence "research only".',
        )
    return said


def read_shapes_of(model: ModelView) -> list[str]:
    """Names of all weights that a model has; an adapter's are those of what it adapts."""
    return list(read_whole(model.path) if model.header.adapter else read_shapes(model.path))


def _check_kind(source: Path) -> None:
    """Raise Unsupported for weights that are no adapter, saying what they are and what they would take."""
    if source.is_dir():
        if (source / "model_index.json").is_file():
            raise Unsupported(
                f"{source.name} is a whole model of diffusers, and no adapter.",
                hint=f"sfumato models adopt {source} --name NAME --licence SPDX takes it in.",
            )
        if not (source / CONFIG).is_file() and not (source / DIFFUSERS).is_file():
            raise InvalidInput(f"{source} holds no {CONFIG}.", hint="A folder in PEFT's layout has one.")
        return
    found = recognise(source)
    if found.kind != "an adapter":
        raise Unsupported(
            f"{source.name} holds {found.words}. It cannot be drawn with here.",
            hint="Adapters of Sfumato's own models and of folders of diffusers that were taken in can be added.",
        )


def _keep(workspace: Workspace, adapter: Adapter, header: Header) -> str:
    with tempfile.TemporaryDirectory() as folder:
        draft = Path(folder) / "adapter.safetensors"
        write_checkpoint(draft, adapter.tensors, header)
        return workspace.store.put_file(draft)


@action("model.add", needs="training.write", doors=("cli",))
def _write(act: Act, *, name: str, sha256: str, header: Header, base: ModelView) -> ModelFacts:
    """Add an adapter that was made elsewhere, under the licence that its maker gives it."""
    if not NAME.fullmatch(name) or name in (LIVE, DEFAULT):
        raise InvalidInput(f"'{name}' cannot be a model's name.", hint="Use letters, digits, dots and dashes.")
    if act.session.scalar(select(Model.id).where(Model.name == name)) is not None:
        raise Conflict(f"There is a model '{name}' already.", hint="Take another name.")
    row = act.session.scalar(select(Checkpoint).where(Checkpoint.content_hash == sha256))
    if row is None:
        row = Checkpoint(
            id=new_id(), made_by=act.actor.id, content_hash=sha256, run_id=None, samples_seen=0, ema="",
            header=header.model_dump(),
        )  # fmt: skip
        act.session.add(row)
        act.session.flush()
        link(act.session, row.ref, base.ref, "goes on from")
    act.session.add(Model(id=new_id(), made_by=act.actor.id, name=name, checkpoint_id=row.id))
    act.session.flush()
    licence = header.data.get("licence", "no stated licence")
    act.says(f"added {name}, an adapter of {base.name} under {licence}", subject=row.ref)
    return facts_of(named(act, name))
