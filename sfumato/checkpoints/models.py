"""Finding a model by name: one that a run of this workspace made, or the one that ships with Sfumato."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import select

from sfumato.actions import Act, Workspace, query
from sfumato.checkpoints.card import Card, open_card
from sfumato.checkpoints.header import Header, read_header
from sfumato.checkpoints.records import Checkpoint, Model
from sfumato.errors import NotFound, unknown

EMBEDDED = Path(__file__).parent / "embedded"
DEFAULT = "emoji-styles-small"


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
            raise NotFound(f"The model '{self.name}' has no training card.", hint=f"Run: sfumato card {self.name}")
        return open_card(self.card_path)


@query("model.list")
def list_models(act: Act) -> list[ModelView]:
    """All models, the embedded one first."""
    found = [_embedded()] if (EMBEDDED / "model.safetensors").exists() else []
    rows = act.session.execute(
        select(Model.name, Checkpoint).join(Checkpoint, Checkpoint.id == Model.checkpoint_id).order_by(Model.name)
    )
    return found + [_own(act.workspace, name, row) for name, row in rows if act.store.has(row.content_hash)]


def find_model(workspace: Workspace, name: str = DEFAULT) -> ModelView:
    """The model of that name; one of this workspace goes before the embedded one. Raises NotFound."""
    models = {view.name: view for view in list_models(workspace)}
    if name not in models:
        raise unknown("model", name, models)
    return models[name]


def _embedded() -> ModelView:
    path = EMBEDDED / "model.safetensors"
    sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
    return ModelView(DEFAULT, sha256, path, EMBEDDED / "card.zip", read_header(path), True, f"checkpoint/{sha256}")


def _own(workspace: Workspace, name: str, row: Checkpoint) -> ModelView:
    path = workspace.store.path(row.content_hash)
    card = card_path(workspace, str(row.header.get("data", {}).get("content_hash", "")), row.header["options"]["size"])
    return ModelView(name, row.content_hash, path, card, read_header(path), False, row.ref)


def card_path(workspace: Workspace, content_hash: str, size: int) -> Path:
    """Where a workspace keeps the card of a dataset version at a picture size."""
    return workspace.path / "cards" / f"{content_hash[:16]}-{size}.zip"
