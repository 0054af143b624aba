"""How a run comes to what it learns from: as recipes of ours do, or as one says that learns on others' models.

Loads torch only when pictures are loaded.
"""

from collections.abc import Generator
from typing import Any

from sfumato.actions import Workspace
from sfumato.checkpoints.header import read_header
from sfumato.data.captions import variants
from sfumato.data.versions import FrozenVersion


def load(
    workspace: Workspace, version: FrozenVersion, module: Any, options: Any, parent: str | None
) -> Generator[tuple[int, int, str], None, Any]:
    """Load what a recipe learns from, yielding (done, total, what is done); returns the material.

    `parent` is the hash of the weights that a run goes on from, if it does.
    """
    cache = workspace.path / "cache"
    if hasattr(module, "load_material"):
        return (yield from module.load_material(version, options, workspace.store.path(str(parent)), cache))
    from sfumato.training.material import load_material

    steps = load_material(version, options.size, cache, with_words=getattr(module, "WORDS", True))
    return (yield from counted(steps, "reading captions"))


def counted(steps: Generator[tuple[int, int], None, Any], says: str) -> Generator[tuple[int, int, str], None, Any]:
    """The same steps, each with what is done; returns what they return."""
    while True:
        try:
            done, total = next(steps)
        except StopIteration as finished:
            return finished.value
        yield done, total, says


def options_of(workspace: Workspace, module: Any, options: dict[str, Any], parent: str | None) -> Any:
    """A run's options, with what the folder of its parent says where the recipe learns on others' models."""
    known = module.Options.model_validate(options)
    if not hasattr(module, "of_parent"):
        return known
    path = workspace.store.path(str(parent))
    return module.of_parent(known, read_header(path), path)


def captions_of(version: FrozenVersion) -> int:
    """How many different captions the pictures of a version have."""
    return len({text for line in version.items for text in variants(line)})


def card_size(module: Any, options: Any) -> int:
    """Pixels of the small copies in a run's training card: those of its pictures, unless the recipe says less."""
    return min(int(getattr(module, "CARD", options.size)), int(options.size))
