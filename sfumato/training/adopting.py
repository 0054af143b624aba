"""Taking a finished file of weights in as a model with its own record. Loads torch only to check a network's shapes."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import select

import sfumato
from sfumato.actions import Act, Workspace, action
from sfumato.catalog import Catalog
from sfumato.checkpoints.elsewhere import engine_of
from sfumato.checkpoints.folders import ARCHITECTURE as FOLDER
from sfumato.checkpoints.header import ZIP, Header, is_pickle, read_header, read_shapes
from sfumato.checkpoints.records import Model
from sfumato.data.collect import read_options
from sfumato.data.freeze import find_version
from sfumato.db import ACROSS, link
from sfumato.errors import Conflict, InvalidInput
from sfumato.training.kept import keep_checkpoint
from sfumato.training.records import OWN
from sfumato.training.runs import check_name, check_unused
from sfumato.training.single_files import take_in_like
from sfumato.training.taking_in import drawn_elsewhere, known_kind, refuse_options, speed, take_in, takes
from sfumato.training.weights import FILE, hash_of, keep_file
from sfumato.trust.licence_names import spdx_of

ARCHITECTURES = Catalog("sfumato.models.architectures", ("Options", "build"))
ADOPTED = "adopted"


@dataclass(frozen=True)
class Adopted:
    """A model that was taken in, and in words what can and cannot be done with it here."""

    name: str
    sha256: str
    architecture: str
    can: list[str]
    cannot: list[str]


def adopt(
    workspace: Workspace, *, path: str | Path, name: str, data: str = "", licence: str = "", maker: str = "",
    architecture: str = "", options: dict[str, Any] | None = None, like: str | Path = "",
) -> Adopted:  # fmt: skip
    """Take finished weights, a folder of diffusers or a generator of TensorFlow in as `name`; what is given stays.

    A safetensors file whose network is Sfumato's (its own header says so, or `architecture` and `options`) draws here,
    if its shapes fit; any other is kept unopened and can be traced and handed on. A folder of a pipeline that is known
    draws in diffusers, a .keras file or SavedModel that takes noise in TensorFlow; their licence has to be said, and
    their maker has not disclosed what they learnt from, unless `data` says so of a generator. A single file of Stable
    Diffusion or SDXL becomes such a folder by the settings of one that it is `like`.

    Raises InvalidInput for a pickle, for shapes that do not fit and for a header out of all bounds, Damaged for a file
    that does not hold what it says.
    """
    check_name(name)
    source, licence = Path(path).expanduser(), spdx_of(licence)
    version = find_version(workspace, label=data) if data else None
    facts = {"name": version.label, "content_hash": version.content_hash, **version.summary} if version else {}
    if like:
        refuse_options(source, architecture, data)
        kept, header = take_in_like(workspace, source, Path(like).expanduser(), licence, maker)
        return _adopt(workspace, name=name, sha256=kept, header=header, version="")
    if drawn_elsewhere(source):
        refuse_options(source, architecture, data)
        kept, header = take_in(workspace, source, licence, maker, facts)
        return _adopt(workspace, name=name, sha256=kept, header=header, version=version.id if version else "")
    sha256 = hash_of(source)
    with source.open("rb") as stream:
        first = stream.read(8)
    if is_pickle(first) and not (first[:4] == ZIP and source.suffix == ".keras"):
        raise InvalidInput(
            f"{source.name} is a pickle or an archive that may hold one: opening it could run anything.",
            hint="Write the weights as safetensors where they were made: safetensors.torch.save_file.",
        )
    about = {"file": source.name, "sha256": sha256, "licence": licence, "maker": maker}
    if source.suffix == ".safetensors" and not architecture and (kind := known_kind(source, licence)):
        about["kind"] = kind
    header = _header(source, name, about, architecture, options or {})
    if version is not None:
        header = header.model_copy(update={"data": facts})
    kept = keep_file(workspace.store, source, header)
    return _adopt(workspace, name=name, sha256=kept, header=header, version=version.id if version else "")


def _header(source: Path, name: str, about: dict[str, Any], architecture: str, options: dict[str, Any]) -> Header:
    """What is said of the weights from now on: what they say themselves, or what they are said to be."""
    told = {"recipe": ADOPTED, "recipe_options": about, "run": name, "code": sfumato.__version__}
    if source.suffix != ".safetensors":
        if architecture:
            raise InvalidInput("Only a safetensors file can be opened as a network.", hint="Leave out --architecture.")
        return Header(architecture=FILE, options={"file": source.name}, **told)
    shapes = read_shapes(source)
    if not architecture:
        try:
            known = read_header(source)
        except InvalidInput:
            return Header(architecture=OWN, options={"file": source.name}, **told)
        if known.architecture not in (OWN, FILE):
            check_shapes(source.name, known.architecture, known.options, shapes)
        return known.model_copy(update={"recipe_options": known.recipe_options | {"adopted": about}})
    module = ARCHITECTURES.get(architecture)
    resolved = read_options(module.Options, options).model_dump()
    check_shapes(source.name, architecture, resolved, shapes)
    return Header(architecture=architecture, options=resolved, **told)


def check_shapes(file: str, architecture: str, options: dict[str, Any], shapes: dict[str, tuple[int, ...]]) -> None:
    """Raise InvalidInput, naming the first weight that is missing, too much, or of another shape than the network's."""
    import torch

    module = ARCHITECTURES.get(architecture)
    with torch.device("meta"):  # shapes alone: no memory is taken for the weights
        net = module.build(read_options(module.Options, options))
    own = {name: tuple(weight.shape) for name, weight in net.named_parameters()}
    apart = sorted(name for name in own.keys() | shapes.keys() if own.get(name) != shapes.get(name))
    if apart:
        one = apart[0]
        raise InvalidInput(
            f"The weights in {file} do not fit the network {architecture}: '{one}' is "
            f"{shapes.get(one, 'missing')} and should be {own.get(one, 'absent')}; {len(apart):,} differ in all.",
            hint="Give the network's own options, or leave out --architecture to keep the file unopened.",
        )


@action("model.adopt", needs="training.write", doors=("cli", "library"))
def _adopt(act: Act, *, name: str, sha256: str, header: Header, version: str) -> Adopted:
    """Take finished weights in as a model with its own record; what they are was checked before."""
    there = act.session.scalar(select(Model.id).where(Model.name == name), execution_options=ACROSS)
    if there is not None:
        raise Conflict(f"There is a model '{name}' already.", hint="Take another name.")
    check_unused(act.session, name)
    row = keep_checkpoint(act.session, made_by=act.actor.id, run_id=None, header=header, sha256=sha256, name=name)
    act.session.flush()
    if version:
        link(act.session, row.ref, f"dataset_version/{version}", "learnt from")
    act.says(f"took in the model {name}", subject=row.ref)
    may = _elsewhere_may(header, bool(version)) if engine_of(header) else _may(header, bool(version))
    return Adopted(name, sha256, header.architecture, *may)


def _elsewhere_may(header: Header, has_data: bool) -> tuple[list[str], list[str]]:
    if header.architecture == FOLDER:
        draws = f"draw here, in diffusers: {takes(header.options, speed())}"
    else:
        draws = f"draw here, in TensorFlow: {header.options['size']} pixels wide, in one call, whatever the sentence"
    unsaid = "answer where a picture comes from: its maker has not disclosed the training data"
    return ["be listed, backed up, traced and handed on, with its hash", draws], [] if has_data else [unsaid]


def _may(header: Header, has_data: bool) -> tuple[list[str], list[str]]:
    can, cannot = ["be listed, backed up, traced and handed on, with its hash"], []
    if kind := header.recipe_options.get("kind"):
        cannot.append(f"draw here: it is {kind}, in one file without a tokenizer. With --like FOLDER, a folder of the "
                      "same class, it is taken in whole; in diffusers, PIPELINE.from_single_file(FILE).save_pretrained("
                      "FOLDER) writes one")  # fmt: skip
    elif header.architecture in (OWN, FILE):
        cannot.append("draw here: Sfumato does not know its network")
    elif has_data:
        can.append("draw here, after `sfumato models card`")
    else:
        cannot.append(
            "draw here before it is told what it learnt from (--data), and has its card (`sfumato models card`)"
        )
    if not has_data:
        cannot.append("answer where a picture comes from: what it learnt from is not told")
    return can, cannot
