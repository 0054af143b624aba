"""The concepts that a model draws worst, each beside the training pictures that it learnt it from. Loads no torch."""

import copy
import io
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from sqlalchemy import select

from sfumato.actions import Act, Workspace, query
from sfumato.data.freeze import version_by_id
from sfumato.data.records import Dataset, Item
from sfumato.errors import NotFound
from sfumato.store.files import write_whole
from sfumato.training.nearness import small
from sfumato.training.runs import find_run, show_run

EVERY = 500  # pictures seen for each concept that is drawn, so that drawing takes about a hundredth of the run
MOST = 64  # concepts that are drawn
AT_ONCE = 16
SHOWN = 8  # of those, the worst
BESIDE = 4  # training pictures beside each
FOLDER = "worst"


@dataclass(frozen=True)
class Drawing:
    """A drawing of one training caption: how far it is from the concept's nearest training picture, and from which."""

    concept: str
    caption: str
    distance: float  # 1 is the usual distance between pictures of different concepts
    beside: list[str]  # hashes of the concept's training pictures, the nearest first
    picture: np.ndarray  # (S, S, 4) uint8, premultiplied


@dataclass(frozen=True)
class Drawings:
    """How many concepts were drawn, their median distance, and the worst, the farthest first."""

    count: int
    median: float
    worst: list[Drawing]


@dataclass(frozen=True)
class Beside:
    """A training picture."""

    id: str
    name: str


@dataclass(frozen=True)
class Concept:
    """A concept that is drawn badly; `place` names its drawing."""

    concept: str
    caption: str
    distance: float
    place: int
    beside: list[Beside] = field(default_factory=list)


@dataclass(frozen=True)
class Worst:
    """The concepts that a run draws worst, of so many that were drawn; none where it was too short to tell."""

    dataset: str
    samples_seen: int = 0
    count: int = 0
    median: float = 0.0
    concepts: list[Concept] = field(default_factory=list)


def draw_concepts(recipe: Any, options: Any, material: Any, net: Any) -> Drawings | None:
    """Draw a caption of each of some training concepts from fixed noise, and compare it with their pictures.

    A distance is the root mean square of differences between copies of at most 16 pixels a side, premultiplied and
    with alpha in [0, 1], to the nearest of the concept's training pictures, mirrored ones too where that is allowed.
    None where a run is too short, or its concepts too few, to tell. Concepts and noise are always the same for a
    version.
    """
    rows_of: dict[str, list[int]] = {}
    for row, weight in zip(material.train, material.weights, strict=True):
        if weight > 0:
            rows_of.setdefault(material.lines[row].concept, []).append(int(row))
    names = sorted(rows_of)
    count = min(MOST, options.samples // EVERY, len(names))
    if count < 2:
        return None
    chosen = [names[place] for place in np.random.default_rng(0).permutation(len(names))[:count]]
    rows = np.array([rows_of[name][0] for name in chosen])
    usual = _usual(small(material.pictures[rows]))
    drawn = [_drawn(recipe, options, material, net, rows[at : at + AT_ONCE]) for at in range(0, count, AT_ONCE)]
    if not usual or sum(map(len, drawn)) != count:
        return None
    found = [
        _compared(material, name, rows_of[name], picture, usual)
        for name, picture in zip(chosen, np.concatenate(drawn), strict=True)
    ]
    found.sort(key=lambda one: (-one.distance, one.concept))
    return Drawings(count, round(float(np.median([one.distance for one in found])), 4), found[:SHOWN])


def _drawn(recipe: Any, options: Any, material: Any, net: Any, rows: np.ndarray) -> np.ndarray:
    """What a recipe's preview draws for these rows."""
    told = copy.copy(material)
    told.preview_rows = lambda count: rows
    pictures: np.ndarray = recipe.preview(options, told, net)
    return pictures


def _compared(material: Any, concept: str, rows: list[int], picture: np.ndarray, usual: float) -> Drawing:
    real, may_turn = material.pictures[rows], material.flip_ok[rows]
    drawn = small(picture[None])[0]
    apart = rms(small(real) - drawn)
    apart = np.where(may_turn, np.minimum(apart, rms(small(real[:, :, ::-1]) - drawn)), apart)
    nearest = np.argsort(apart, kind="stable")[:BESIDE]
    line = material.lines[rows[0]]
    return Drawing(
        concept, ", ".join(filter(None, (line.name, line.style))), round(float(apart.min()) / usual, 4),
        [material.lines[rows[place]].sha256 for place in nearest], picture,
    )  # fmt: skip


def _usual(pictures: np.ndarray) -> float:
    """The median distance between pictures (N, D), each of another concept."""
    first, second = np.triu_indices(len(pictures), 1)
    return float(np.median(rms(pictures[first] - pictures[second])))


def rms(differences: np.ndarray) -> np.ndarray:
    """Root mean squares of rows (N, D)."""
    found: np.ndarray = np.sqrt((differences**2).mean(-1))
    return found


def keep_worst(folder: Path, samples_seen: int, found: Drawings) -> None:
    """Keep the drawings in a run's folder, and what is known of them; the latter comes last."""
    for place, one in enumerate(found.worst):
        alpha = one.picture[..., 3:].astype(np.float32)
        white = (one.picture[..., :3] + (255 - alpha)).clip(0, 255).astype(np.uint8)
        out = io.BytesIO()
        Image.fromarray(white).save(out, "PNG")
        write_whole(folder / FOLDER / f"{place}.png", out.getvalue())
    told = [{key: value for key, value in vars(one).items() if key != "picture"} for one in found.worst]
    said = {"samples_seen": samples_seen, "count": found.count, "median": found.median, "concepts": told}
    write_whole(folder / f"{FOLDER}.json", json.dumps(said).encode())


@query("training.worst", doors=("cli", "api"))
def list_worst(act: Act, *, name: str) -> Worst:
    """The concepts that a run drew worst at its end, each with the training pictures that are nearest to its drawing.

    At most eight are kept, of up to 64 that were drawn.
    """
    run = find_run(act.session, name)
    dataset = version_by_id(act.workspace, version_id=run.version_id).dataset
    try:
        said = json.loads((act.workspace.path / "runs" / run.id / f"{FOLDER}.json").read_text())
    except (OSError, ValueError):
        return Worst(dataset)
    hashes = {one for told in said["concepts"] for one in told["beside"]} - act.store.all_erased()
    items: dict[str, Beside] = {}
    own = select(Item).join(Dataset, Dataset.id == Item.dataset_id).where(Dataset.name == dataset)
    for row in act.session.scalars(own.where(Item.sha256.in_(hashes)).order_by(Item.id.desc())):
        items[row.sha256] = Beside(row.id, row.name)
    concepts = [
        Concept(
            told["concept"], told["caption"], told["distance"], place,
            [items[one] for one in told["beside"] if one in items],
        )
        for place, told in enumerate(said["concepts"])
    ]  # fmt: skip
    return Worst(dataset, said["samples_seen"], said["count"], said["median"], concepts)


def worst_drawing(workspace: Workspace, *, name: str, place: int) -> bytes:
    """The drawing of a concept that a run drew badly, as PNG; raises NotFound."""
    path = workspace.path / "runs" / show_run(workspace, name=name).id / FOLDER / f"{place}.png"
    try:
        return path.read_bytes()
    except OSError as missing:
        raise NotFound("The run has no such drawing.", hint="Its page shows what there is.") from missing
