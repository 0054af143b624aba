"""Reading a frozen version: its lines, its bytes, and its pictures decoded once into one array."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

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
    def lines(self) -> list[ItemLine]:
        """Its lines as they were frozen, in their canonical order; also of pictures that were erased since."""
        data = self.workspace.store.get(self.view.content_hash, check=True)
        return [ItemLine.model_validate_json(line) for line in data.decode().split("\n")]

    @cached_property
    def items(self) -> list[ItemLine]:
        """Its lines, without those whose pictures were erased since it was frozen."""
        erased = self.workspace.store.all_erased()
        return [line for line in self.lines if line.sha256 not in erased]

    @property
    def gap(self) -> int:
        """How many of its pictures were erased since it was frozen."""
        return len(self.lines) - len(self.items)

    @property
    def gap_in_words(self) -> str:
        """What is said beside a work that leaves them out: ", 3 erased pictures left out", or ""."""
        return f", {self.gap:,} erased picture{'s' if self.gap > 1 else ''} left out" if self.gap else ""

    @property
    def facts(self) -> dict[str, Any]:
        """What is said of it by what was made from it: its summary, and how many of its pictures are erased."""
        return {**self.view.summary, **({"erased": self.gap} if self.gap else {})}

    def read_bytes(self, line: ItemLine) -> bytes:
        """The bytes of one picture as they were collected."""
        return self.workspace.store.get(line.sha256)

    def decode(self, size: int) -> tuple[np.ndarray, list[ItemLine]]:
        """All pictures as (N, size, size, 4) uint8 premultiplied, and their lines; decoded once, then kept."""
        kept = self.workspace.path / "cache" / f"pictures-{self.content_hash[:16]}-{size}.npy"
        if kept.exists():
            pictures = np.load(kept)
            if pictures.shape == (len(self.items), size, size, 4) and not self._was_erased(kept):
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

    def _was_erased(self, kept: Path) -> bool:
        """Whether a picture was erased since the file was written."""
        notes = self.workspace.store.root / "erased"
        return notes.is_dir() and notes.stat().st_mtime_ns >= kept.stat().st_mtime_ns


def open_version(workspace: Workspace, label: str) -> FrozenVersion:
    """Open NAME@VERSION, NAME@latest or NAME; raises NotFound with the nearest name."""
    return FrozenVersion(workspace, find_version(workspace, label=label))


def open_version_by_id(workspace: Workspace, version_id: str) -> FrozenVersion:
    """Open the version with this id."""
    return FrozenVersion(workspace, version_by_id(workspace, version_id=version_id))
