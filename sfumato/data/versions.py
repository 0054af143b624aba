"""Reading a frozen version: its lines, its bytes, and its pictures decoded once into one array."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from sfumato.actions import Workspace
from sfumato.data.freeze import ItemLine, VersionView, find_version, version_by_id
from sfumato.data.pictures import open_picture, to_premultiplied
from sfumato.store.files import draft, finish

__all__ = ["FrozenVersion", "ItemLine", "open_version"]


@dataclass(frozen=True)
class FrozenVersion:
    """A frozen version and the files it needs."""

    workspace: Workspace
    view: VersionView

    @property
    def label(self) -> str:
        """dataset@version."""
        return self.view.label

    @property
    def content_hash(self) -> str:
        """The SHA-256 of its lines."""
        return self.view.content_hash

    @cached_property
    def items(self) -> list[ItemLine]:
        """Its lines, in their canonical order."""
        data = self.workspace.store.get(self.view.content_hash, check=True)
        return [ItemLine.model_validate_json(line) for line in data.decode().split("\n")]

    def read_bytes(self, line: ItemLine) -> bytes:
        """The bytes of one picture as they were collected."""
        return self.workspace.store.get(line.sha256)

    def decode(self, size: int) -> tuple[np.ndarray, list[ItemLine]]:
        """All pictures as (N, size, size, 4) uint8 premultiplied, and their lines; decoded once, then kept."""
        kept = self.workspace.path / "cache" / f"pictures-{self.content_hash[:16]}-{size}.npy"
        if kept.exists():
            pictures = np.load(kept)
            if pictures.shape == (len(self.items), size, size, 4):
                return pictures, self.items

        def one(line: ItemLine) -> np.ndarray:
            data = self.read_bytes(line)
            return to_premultiplied(open_picture(data, self.workspace.settings.max_pixels), size)

        with ThreadPoolExecutor(4) as pool:
            pictures = np.stack(list(pool.map(one, self.items)))
        with draft(kept.parent) as stream:
            np.save(stream, pictures)
            finish(stream, kept)
        return pictures, self.items


def open_version(workspace: Workspace, label: str) -> FrozenVersion:
    """Open NAME@VERSION, NAME@latest or NAME; raises NotFound with the nearest name."""
    return FrozenVersion(workspace, find_version(workspace, label=label))


def open_version_by_id(workspace: Workspace, version_id: str) -> FrozenVersion:
    """Open the version with this id."""
    return FrozenVersion(workspace, version_by_id(workspace, version_id=version_id))
