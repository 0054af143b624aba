"""Finding a model by name: one that a run of this workspace made, or the one that ships with Sfumato."""

import hashlib
from dataclasses import dataclass, replace
from functools import lru_cache
from math import prod
from pathlib import Path
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from sfumato.actions import Act, Workspace, query
from sfumato.checkpoints.card import Card, open_card
from sfumato.checkpoints.header import Header, read_header, read_shapes
from sfumato.checkpoints.records import Alias, Checkpoint, Model
from sfumato.errors import NotFound, unknown

EMBEDDED = Path(__file__).parent / "embedded"
ENLARGER = EMBEDDED / "enlarger.safetensors"
DEFAULT = "emoji-styles-small"
LIVE = "live"  # no model's own name, but what stands for the one that a project has let go live


@dataclass(frozen=True)
class ModelView:
    """A model that can be asked for by name."""

    name: str
    sha256: str
    path: Path
    card_path: Path | None
    header: Header
    embedded: bool
    ref: str

    def card(self) -> Card:
        """Its training card; raises NotFound when it has none."""
        if self.card_path is None or not self.card_path.exists():
            raise NotFound(
                f"The model '{self.name}' has no training card.",
                hint=f"A run makes it after its first checkpoint. sfumato models card {self.name} does it now.",
            )
        return open_card(self.card_path)


@dataclass(frozen=True)
class ModelFacts:
    """What a person may want to know of a model before using it, as its header and its card tell it."""

    name: str
    embedded: bool
    sha256: str
    bytes: int
    parameters: int
    architecture: str
    size: int
    recipe: str
    run: str
    parent: str
    ema: str
    samples_seen: int
    dataset: str
    content_hash: str
    pictures: int
    held_out: int
    concepts: int
    styles: dict[str, int]
    licences: dict[str, int]
    code: str
    card: bool
    names: int | None = None
    copy_distance: float | None = None
    calibrated_on: int | None = None
    adopted: bool = False  # taken in as a finished file


@query("model.list")
def list_models(act: Act, *, after: str | None = None, limit: int = 1_000) -> list[ModelFacts]:
    """Models with what they learnt from, the embedded one first; `after` is the name of the last one seen."""
    known = views(act)
    names = [view.name for view in known]
    start = names.index(after) + 1 if after in names else 0
    return [facts_of(view) for view in known[start : start + limit]]


@query("model.show")
def show_model(act: Act, *, name: str = DEFAULT) -> ModelFacts:
    """One model: what it learnt from, how far, and whether it has a training card. Raises NotFound."""
    return facts_of(named(act, name), look_inside=True)


@query("model.find", doors=())
def find_model(act: Act, name: str = DEFAULT, *, sha256: str = "") -> ModelView:
    """The model of that name, or what is live; one of this workspace goes before the embedded one. Raises NotFound.

    With `sha256` those weights, if they are here, also where the model of that name has become others since.
    """
    if sha256:
        pinned = find_weights(act, sha256)
        if pinned is not None:
            return replace(pinned, name=name)
    return named(act, name)


def named(act: Act, name: str) -> ModelView:
    """The model of that name, or what is live, as it is now. Raises NotFound."""
    stands = alias_of(act.session, LIVE) if name == LIVE else None
    if stands is not None:
        return _aliased(act, stands)
    models = {view.name: view for view in views(act)}
    if name == LIVE and name not in models:
        raise NotFound("No model is live in this project yet.", hint="Run: sfumato models go-live MODEL")
    if name not in models:
        raise unknown("model", name, models)
    return models[name]


def _aliased(act: Act, stands: Alias) -> ModelView:
    view = find_weights(act, stands.sha256)
    if view is None:
        raise NotFound(
            f"The weights of '{stands.model}', which is live, are not in this workspace any more.",
            hint="Bring the file back from a backup, or run: sfumato models roll-back",
        )
    return replace(view, name=stands.model)


def alias_of(session: Session, name: str) -> Alias | None:
    """What an alias stands for now: the newest fact that was not undone."""
    undone = select(Alias.undoes).where(Alias.name == name, Alias.undoes.is_not(None))
    which = select(Alias).where(Alias.name == name, Alias.undoes.is_(None), Alias.id.not_in(undone))
    return session.scalar(which.order_by(Alias.turn.desc()).limit(1))


def views(act: Act) -> list[ModelView]:
    """All models whose weights are here, the embedded one first."""
    found = [_embedded()] if (EMBEDDED / "model.safetensors").exists() else []
    rows = act.session.execute(
        select(Model.name, Checkpoint).join(Checkpoint, Checkpoint.id == Model.checkpoint_id).order_by(Model.name)
    )
    return found + [_own(act.workspace, name, row) for name, row in rows if act.store.has(row.content_hash)]


def facts_of(view: ModelView, *, look_inside: bool = False) -> ModelFacts:
    """What is known of a model; with `look_inside` also what only its card tells."""
    header, data = view.header, view.header.data
    splits: dict[str, int] = data.get("splits", {})
    has_card = view.card_path is not None and view.card_path.exists()
    told: dict[str, Any] = {}
    if has_card and look_inside:
        card = view.card()
        told = {"names": len(card.names), "copy_distance": round(card.copy_distance, 4),
                "calibrated_on": int(card.summary.get("calibrated_on", 0))}  # fmt: skip
    return ModelFacts(
        name=view.name, embedded=view.embedded, sha256=view.sha256, bytes=view.path.stat().st_size,
        parameters=_parameters(view), architecture=header.architecture,
        size=int(header.options.get("size", 0)), recipe=header.recipe, run=header.run, parent=header.parent,
        ema=header.ema, samples_seen=header.samples_seen, dataset=str(data.get("name", "")),
        content_hash=str(data.get("content_hash", "")), pictures=splits.get("train", 0),
        held_out=sum(splits.values()) - splits.get("train", 0), concepts=int(data.get("concepts", 0)),
        styles=data.get("styles", {}), licences=data.get("licences", {}), code=header.code, card=has_card,
        adopted=is_adopted(header), **told,
    )  # fmt: skip


def is_adopted(header: Header) -> bool:
    """Whether weights were taken in as a finished file, rather than trained here."""
    return header.recipe == "adopted" or "adopted" in header.recipe_options


def _parameters(view: ModelView) -> int:
    """How many weights there are; of a file that is kept unopened nobody knows."""
    if "parameters" in view.header.options:  # a folder in one file says it
        return int(view.header.options["parameters"])
    unopened = view.header.architecture == "file"
    return 0 if unopened else sum(prod(shape) for shape in read_shapes(view.path).values())


def _embedded() -> ModelView:
    path = EMBEDDED / "model.safetensors"
    sha256 = _hash(path, path.stat().st_mtime_ns)
    return ModelView(DEFAULT, sha256, path, EMBEDDED / "card.zip", read_header(path), True, f"checkpoint/{sha256}")


@lru_cache(maxsize=2)
def _hash(path: Path, changed_at: int) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _own(workspace: Workspace, name: str, row: Checkpoint) -> ModelView:
    path = workspace.store.path(row.content_hash)
    content_hash = str(row.header.get("data", {}).get("content_hash", ""))
    if row.header.get("adapter") and not content_hash:  # made elsewhere: what it is known to know is its base's
        content_hash = str(next((one["data"].get("content_hash") for one in row.header["lineage"]
                                 if one["data"].get("content_hash")), ""))  # fmt: skip
        if content_hash == read_header(EMBEDDED / "model.safetensors").data.get("content_hash"):
            return ModelView(
                name, row.content_hash, path, EMBEDDED / "card.zip", read_header(path), False, row.ref
            )  # fmt: skip
    card = card_path(workspace, content_hash, card_pixels(row.header["options"]))
    return ModelView(name, row.content_hash, path, card, read_header(path), False, row.ref)


def card_path(workspace: Workspace, content_hash: str, size: int) -> Path:
    """Where a workspace keeps the card of a dataset version at a picture size."""
    return workspace.path / "cards" / f"{content_hash[:16]}-{size}.zip"


def card_pixels(options: dict[str, Any]) -> int:
    """The picture size of a model's card: that of its drawings, or what its header says where those are large."""
    return int(options.get("card", options.get("size", 0)))


def find_weights(act: Act, sha256: str) -> ModelView | None:
    """The weights with this hash, shipped with Sfumato or trained here; None when they are not here."""
    if (EMBEDDED / "model.safetensors").exists() and (view := _embedded()).sha256 == sha256:
        return view
    row = act.session.scalar(select(Checkpoint).where(Checkpoint.content_hash == sha256))
    if row is None or not act.store.has(sha256):
        return None
    name = act.session.scalar(select(Model.name).where(Model.checkpoint_id == row.id)) or row.header.get("run", "")
    return _own(act.workspace, name, row)
