"""What both sides of the training benchmark learn from: real pictures, frozen, with their captions encoded."""

import argparse
from pathlib import Path

from PIL import Image

from sfumato.actions import Workspace
from sfumato.data.pictures import open_picture, to_premultiplied
from sfumato.data.versions import open_version
from sfumato.training.material import Material, load_material

LABEL = "bench-sample"


def prepare(folder: Path) -> str:
    """A workspace with the shipped sample frozen in it, made on the first call; returns the version's label."""
    from sfumato import library
    from sfumato.data.collect import list_datasets

    with library.open(folder) as workspace:
        found = [view for view in list_datasets(workspace) if view.name == LABEL and view.versions]
        if not found:
            library.collect(workspace, "sample", into=LABEL)
            return library.freeze(workspace, name=LABEL).label
        return f"{LABEL}@{found[0].versions[-1]}"


def load(workspace: Workspace, label: str, size: int, *, with_words: bool = True) -> Material:
    """The version's pictures and captions, from the workspace's cache after the first time."""
    steps = load_material(open_version(workspace, label), size, workspace.path / "cache", with_words=with_words)
    while True:
        try:
            next(steps)
        except StopIteration as finished:
            return finished.value  # type: ignore[no-any-return]


def export_pngs(workspace: Workspace, label: str, size: int | None = None) -> list[Path]:
    """Every picture as a PNG file, as collected, or fitted to `size` with colours under their alpha."""
    folder = workspace.path / "cache" / f"bench-pngs-{label}-{size or 'collected'}"
    folder.mkdir(parents=True, exist_ok=True)
    version, paths = open_version(workspace, label), []
    for row, line in enumerate(version.items):
        paths.append(folder / f"{row:06d}.png")
        if not paths[-1].exists():
            picture = open_picture(version.read_bytes(line), workspace.settings.max_pixels)
            picture = Image.fromarray(to_premultiplied(picture, size)) if size else picture
            picture.save(paths[-1])
    return paths


def export_learnt(folder: Path, label: str, size: int) -> Path:
    """A folder of what is learnt from alone, as PNG files of `size` with colours under their alpha, made once."""
    from sfumato import library

    target = folder / "cache" / f"bench-learnt-{label}-{size}"
    if target.exists():
        return target
    with library.open(folder) as workspace:
        pictures, lines = open_version(workspace, label).decode(size)
    draft = target.with_name(f".{target.name}")
    draft.mkdir(parents=True, exist_ok=True)
    for row, line in enumerate(lines):
        if line.split == "train":
            Image.fromarray(pictures[row]).save(draft / f"{row:06d}.png")
    draft.rename(target)
    return target


def arguments() -> argparse.ArgumentParser:
    """The options that both sides' programs share."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--workspace", type=Path, required=True)
    parser.add_argument("--data", required=True)
    parser.add_argument("--options", default="{}", help="of the recipe, as JSON")
    return parser
