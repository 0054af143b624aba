"""Models that go on from a folder of diffusers: their file holds what they change, and the folder keeps the rest.

| header | what the file holds | the folder that it stands for |
|---|---|---|
| no parent | a whole folder, packed | that folder |
| `adapter` | two small matrices of each module | the parent's, with W + alpha / rank · B A |
| `parts` | all weights of that part | the parent's, with these weights instead |

A parent may itself be one of these. Names of modules are those of the denoiser (`unet` or `transformer`); those of a
text encoder begin with its part: `text_encoder.` or `text_encoder_2.`.
"""

import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from math import prod
from pathlib import Path
from typing import Any

import numpy as np

from sfumato.checkpoints.adapters import A, B
from sfumato.checkpoints.folders import DENOISERS, INDEX, unpack
from sfumato.checkpoints.header import LONGEST, Header, described_of, read_header, widened
from sfumato.errors import Damaged, NotFound

TEXT = ("text_encoder_2", "text_encoder")
WEIGHTS = ".safetensors"
MADE = "sfumato.json"  # which files are there, and how long they are
Change = Callable[[np.ndarray], np.ndarray]


class Weights(Mapping[str, np.ndarray]):
    """Weights of safetensors files by name as float32 arrays, each read from the disk when it is asked for."""

    def __init__(self, *paths: Path) -> None:
        self._places: dict[str, tuple[Path, int, dict[str, Any]]] = {}
        for path in paths:
            start = _start(path)
            for name, entry in described_of(path).items():
                if name != "__metadata__":
                    self._places[name] = (path, start, entry)

    def __getitem__(self, name: str) -> np.ndarray:
        path, start, entry = self._places[name]
        try:
            first, last = entry["data_offsets"]
            with path.open("rb") as stream:
                stream.seek(start + first)
                return widened(stream.read(last - first), entry)
        except (KeyError, TypeError, ValueError) as problem:
            raise Damaged(f"{path.name} does not hold what it says at '{name}'.") from problem

    def __iter__(self) -> Iterator[str]:
        return iter(self._places)

    def __len__(self) -> int:
        return len(self._places)


def denoiser_of(header: Header) -> str:
    """The part of a folder that denoises: `unet` or `transformer`."""
    return DENOISERS[str(header.options["pipeline"])]


def parent_of(path: Path, sha256: str) -> Path:
    """The file of the weights that a model goes on from, in the same store; raises NotFound."""
    found = path.parents[1] / sha256[:2] / sha256
    if not found.is_file():
        raise NotFound(
            f"The weights {sha256[:12]}, which this model goes on from, are not in this workspace.",
            hint="Bring the file back from a backup.",
        )
    return found


def chain_of(path: Path) -> list[tuple[Path, Header]]:
    """A model's file and those that it goes on from, the packed folder last, each with its header."""
    found = [(path, read_header(path))]
    while found[-1][1].parent:
        below = parent_of(found[-1][0], found[-1][1].parent)
        found.append((below, read_header(below)))
    return found


def folder_under(path: Path) -> Path:
    """The packed folder that a model stands on: its own file, or that of its oldest ancestor."""
    return chain_of(path)[-1][0]


def read_entry(packed: Path, name: str) -> dict[str, Any]:
    """A JSON file of a packed folder; raises Damaged where it is not there or cannot be read."""
    try:
        first, last = described_of(packed)[name]["data_offsets"]
        with packed.open("rb") as stream:
            stream.seek(_start(packed) + first)
            return dict(json.loads(stream.read(last - first)))
    except (KeyError, TypeError, ValueError, RecursionError) as problem:
        raise Damaged(f"The folder in {packed.name[:12]} has no {name} that can be read.") from problem


def read_inner_shapes(packed: Path) -> dict[str, dict[str, tuple[int, ...]]]:
    """Names and shapes of the weights of each part of a packed folder, from the headers of its files alone."""
    found: dict[str, dict[str, tuple[int, ...]]] = {}
    start = _start(packed)
    with packed.open("rb") as stream:
        for name, entry in described_of(packed).items():
            if not name.endswith(WEIGHTS):
                continue
            stream.seek(start + entry["data_offsets"][0])
            length = int.from_bytes(stream.read(8), "little")
            if not 2 <= length <= LONGEST:
                raise Damaged(f"The folder in {packed.name[:12]} has no weights in {name}.")
            inner = json.loads(stream.read(length))
            inner.pop("__metadata__", None)
            shapes = {key: tuple(one["shape"]) for key, one in inner.items()}
            found.setdefault(name.split("/")[0], {}).update(shapes)
    return found


def compose(path: Path, target: Path) -> Path:
    """Write the folder that a model stands for into `target`, whole or not at all, unless it is there.

    What it goes on from is written beside it, and files that are the same are shared with it where the disk allows.
    """
    header = read_header(path)
    if not header.parent:
        return unpack(path, target)
    if _is_whole(target):
        return target
    below = compose(parent_of(path, header.parent), target.with_name(header.parent))
    shutil.rmtree(target, ignore_errors=True)
    made = Path(tempfile.mkdtemp(dir=target.parent, prefix=".draft-"))
    try:
        _compose(path, header, below, made)
        try:
            made.rename(target)
        except OSError:  # another process was faster
            if not _is_whole(target):
                raise
    finally:
        shutil.rmtree(made, ignore_errors=True)
    return target


def _compose(path: Path, header: Header, below: Path, made: Path) -> None:
    changes = _changes(path, header)
    missing = {part: set(changed) for part, changed in changes.items()}
    sizes = {}
    for source in sorted(one for one in below.rglob("*") if one.is_file() and one.name != MADE):
        name = source.relative_to(below)
        place = made / name
        place.parent.mkdir(exist_ok=True)
        part = name.parts[0]
        held = described_of(source).keys() & changes.get(part, {}).keys() if source.suffix == WEIGHTS else set()
        if held:
            rewrite(source, place, {one: changes[part][one] for one in held})
            missing[part] -= held
        else:
            _share(source, place)
        sizes[str(name)] = place.stat().st_size
    if lost := sorted(f"{part}/{one}" for part, names in missing.items() for one in names):
        raise Damaged(f"The model {path.name[:12]} changes '{lost[0]}', which its parent does not have.")
    (made / MADE).write_text(json.dumps({"files": sizes, "header": header.model_dump(mode="json")}))


def _changes(path: Path, header: Header) -> dict[str, dict[str, Change]]:
    """What becomes of weights of the parent, by part and name."""
    own, denoiser = Weights(path), denoiser_of(header)
    if not header.adapter:
        return {denoiser: {name: _instead(own, name) for name in own}}
    scale = np.float32(float(header.adapter["alpha"]) / float(header.adapter["rank"]))
    found: dict[str, dict[str, Change]] = {}
    for name in header.adapter["modules"]:
        part, module = split(str(name), denoiser)
        found.setdefault(part, {})[f"{module}.weight"] = _beside(own, str(name), scale)
    return found


def split(name: str, denoiser: str) -> tuple[str, str]:
    """The part that a module's name belongs to, and its name within that part."""
    for part in TEXT:
        if name.startswith(f"{part}."):
            return part, name.removeprefix(f"{part}.")
    return denoiser, name


def _instead(own: Weights, name: str) -> Change:
    def change(there: np.ndarray) -> np.ndarray:
        if there.shape != own[name].shape:
            raise Damaged(f"The model does not fit its parent at '{name}'.")
        return own[name]

    return change


def _beside(own: Weights, name: str, scale: np.float32) -> Change:
    def change(there: np.ndarray) -> np.ndarray:
        moved = own[name + B] @ own[name + A]
        if moved.size != there.size or len(moved) != len(there):
            raise Damaged(f"The adapter does not fit its parent at '{name}'.")
        return there + scale * moved.reshape(there.shape)

    return change


def rewrite(source: Path, target: Path, changes: Mapping[str, Change]) -> None:
    """Copy a safetensors file with some of its weights changed, which become float32; the rest stay byte for byte."""
    described, start = described_of(source), _start(source)
    entries: dict[str, Any] = {}
    if told := described.pop("__metadata__", None):
        entries["__metadata__"] = told
    names, place = sorted(described, key=lambda name: described[name]["data_offsets"][0]), 0
    for name in names:
        entry = dict(described[name])
        first, last = entry["data_offsets"]
        size = 4 * prod(entry["shape"]) if name in changes else last - first
        entries[name] = entry | {"data_offsets": [place, place + size]}
        if name in changes:
            entries[name]["dtype"] = "F32"
        place += size
    text = json.dumps(entries, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    with source.open("rb") as stream, target.open("wb") as out:
        out.write(len(text).to_bytes(8, "little") + text)
        for name in names:
            first, last = described[name]["data_offsets"]
            stream.seek(start + first)
            if name in changes:
                there = widened(stream.read(last - first), described[name])
                out.write(np.ascontiguousarray(changes[name](there), np.float32).tobytes())
                continue
            for begin in range(first, last, 1 << 20):
                out.write(stream.read(min(1 << 20, last - begin)))


def _start(path: Path) -> int:
    """Where the tensors of a safetensors file begin."""
    with path.open("rb") as stream:
        return 8 + int.from_bytes(stream.read(8), "little")


def _share(source: Path, place: Path) -> None:
    try:
        os.link(source, place)
    except OSError:  # another disk, or one that has no links
        shutil.copyfile(source, place)


def _is_whole(target: Path) -> bool:
    """Whether all files that were written are there, each as long as it was."""
    try:
        sizes = json.loads((target / MADE).read_text())["files"]
        return INDEX in sizes and all((target / name).stat().st_size == size for name, size in sizes.items())
    except (OSError, ValueError, KeyError, TypeError):
        return False


def folder_of(path: Path) -> Path:
    """The folder that a model of a store stands for, unpacked in the workspace's cache."""
    return compose(path, path.parents[2] / "cache" / "diffusers" / path.name)
