"""Watching a run: how it stands, its curves, its previews, and the checkpoints that it left."""

import contextlib
import json
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from sfumato.actions import Act, Workspace, query
from sfumato.checkpoints.models import find_weights, is_adopted
from sfumato.checkpoints.records import Checkpoint
from sfumato.data.records import Dataset, DatasetVersion
from sfumato.errors import NotFound
from sfumato.jobs.queue import JobView
from sfumato.jobs.queue import view as view_job
from sfumato.jobs.records import Job
from sfumato.people.names import names_in
from sfumato.training.folder import CAPTIONS
from sfumato.training.records import Run
from sfumato.training.runs import RunView, find_run, show_run, view

KNOWN = {
    "at", "samples", "loss", "of", "images_per_second", "seconds_left", "memory", "tflops", "held_out", "preview",
}  # fmt: skip
LARGEST = 8_000_000  # bytes of a log that are read


@dataclass(frozen=True)
class Parent:
    """The weights that a run began with: the model that they are, and whether that was taken in from elsewhere."""

    name: str
    adopted: bool = False


@dataclass(frozen=True)
class RunCard:
    """A run beside the data that it learns from, who asked for it, and the job that works on it.

    Its parent is told of one run alone; None where it began with fresh weights, or with some that are gone.
    """

    id: str
    run: RunView
    data: str
    samples: int
    made_by_name: str
    made_at: datetime
    job: JobView | None = None
    parent: Parent | None = None


@dataclass(frozen=True)
class Curves:
    """What was written down while training: pictures seen and what was measured there."""

    loss: list[tuple[float, float]] = field(default_factory=list)
    held_out: dict[str, list[tuple[float, float]]] = field(default_factory=dict)
    speed: list[tuple[float, float]] = field(default_factory=list)
    figures: dict[str, list[tuple[float, float]]] = field(default_factory=dict)


@dataclass(frozen=True)
class Saved:
    """A checkpoint of a run."""

    id: str
    samples_seen: int
    ema: str
    sha256: str
    made_at: datetime


@query("training.board", doors=("api",))
def list_cards(act: Act, *, after: str | None = None, limit: int = 50) -> list[RunCard]:
    """Runs as they stand, newest first; `after` is the id of the last one seen."""
    found = select(Run).order_by(Run.id.desc()).limit(limit)
    if after:
        found = found.where(Run.id < after)
    return _cards(act.session, list(act.session.scalars(found)))


@query("training.state", doors=("api",))
def show_card(act: Act, *, name: str) -> RunCard:
    """One run as it stands."""
    card = _cards(act.session, [find_run(act.session, name)])[0]
    weights = find_weights(act, card.run.parent_sha256) if card.run.parent_sha256 else None
    if weights is None:
        return card
    return replace(card, parent=Parent(weights.name, is_adopted(weights.header)))


@query("training.checkpoints", doors=("api",))
def list_checkpoints(act: Act, *, name: str, after: str | None = None, limit: int = 50) -> list[Saved]:
    """Checkpoints of a run, newest first; `after` is the id of the last one seen."""
    run = find_run(act.session, name)
    found = select(Checkpoint).where(Checkpoint.run_id == run.id).order_by(Checkpoint.id.desc()).limit(limit)
    if after:
        found = found.where(Checkpoint.id < after)
    return [
        Saved(row.id, row.samples_seen, row.ema, row.content_hash, row.made_at) for row in act.session.scalars(found)
    ]


def _cards(session: Session, rows: list[Run]) -> list[RunCard]:
    versions = {
        key: f"{dataset}@{name}"
        for key, name, dataset in session.execute(
            select(DatasetVersion.id, DatasetVersion.name, Dataset.name)
            .join(Dataset, Dataset.id == DatasetVersion.dataset_id)
            .where(DatasetVersion.id.in_({row.version_id for row in rows}))
        )
    }
    wanted = select(Job).where(Job.id.in_({row.job_id for row in rows if row.job_id}))
    jobs = {job.id: job for job in session.scalars(wanted)}
    names = names_in(session, {row.made_by for row in rows})
    cards = []
    for row in rows:
        job = jobs.get(row.job_id or "")
        cards.append(
            RunCard(
                row.id, view(session, row, job), versions.get(row.version_id, "a version that is gone"),
                int(row.options.get("samples", 0)), names[row.made_by], row.made_at, view_job(job) if job else None,
            )
        )  # fmt: skip
    return cards


def read_curves(workspace: Workspace, *, name: str) -> Curves:
    """The curves of a run, from what it wrote down; what was written twice after a fall counts as it was last."""
    return curves_of(_folder(workspace, name))


def curves_of(folder: Path) -> Curves:
    """The curves that a run's folder holds."""
    loss: dict[float, float] = {}
    speed: dict[float, float] = {}
    held_out: dict[str, dict[float, float]] = {}
    figures: dict[str, dict[float, float]] = {}
    for line in (*_lines(folder / "curve.jsonl"), *_lines(folder / "log.jsonl")):
        at = float(line.get("samples", 0))
        for values, said in ((loss, line.get("loss")), (speed, line.get("images_per_second"))):
            if isinstance(said, (int, float)):
                values[at] = float(said)
        for level, value in (line.get("held_out") or {}).items():
            held_out.setdefault(str(level), {})[at] = float(value)
        for key, value in line.items():
            if key not in KNOWN and isinstance(value, (int, float)):
                figures.setdefault(key, {})[at] = float(value)
    return Curves(
        sorted(loss.items()), {level: sorted(values.items()) for level, values in held_out.items()},
        sorted(speed.items()), {key: sorted(values.items()) for key, values in figures.items()},
    )  # fmt: skip


def read_said(workspace: Workspace, *, name: str, most: int = 3) -> list[tuple[int, str]]:
    """The newest things that a run found worth saying, each with how many pictures it had seen; none twice."""
    said: dict[str, int] = {}
    for line in _lines(_folder(workspace, name) / "said.jsonl"):
        words = str(line.get("said", ""))
        said.pop(words, None)
        said[words] = int(line.get("samples", 0))
    return [(at, words) for words, at in list(said.items())[-most:]]


def list_previews(workspace: Workspace, *, name: str) -> list[int]:
    """At which numbers of pictures seen a run drew its fixed captions, oldest first."""
    return previews_of(_folder(workspace, name))


def previews_of(folder: Path) -> list[int]:
    """The numbers of pictures seen at which previews lie in a run's folder, oldest first."""
    return sorted(int(path.stem) for path in (folder / "previews").glob("*.png") if path.stem.isdecimal())


def read_captions(workspace: Workspace, *, name: str) -> list[str]:
    """The captions that a run's previews draw, row by row from the left; none where they are not known."""
    with contextlib.suppress(OSError, ValueError):
        said = json.loads((_folder(workspace, name) / "previews" / CAPTIONS).read_bytes())
        return [str(one) for one in said]
    return []


def preview(workspace: Workspace, *, name: str, samples: int) -> bytes:
    """The sheet of pictures that a run drew after so many pictures seen; raises NotFound."""
    path = _folder(workspace, name) / "previews" / f"{samples:012d}.png"
    try:
        return path.read_bytes()
    except OSError as missing:
        raise NotFound("The run drew nothing there.", hint="Its page shows what there is.") from missing


def _folder(workspace: Workspace, name: str) -> Path:
    """The folder of a run, by the id of its record alone."""
    return workspace.path / "runs" / show_run(workspace, name=name).id


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    try:
        with path.open("rb") as stream:
            text = stream.read(LARGEST)
    except OSError:
        return
    for line in text.splitlines():
        try:
            said = json.loads(line)
        except ValueError:
            continue  # a line that is being written
        if isinstance(said, dict):
            yield said
