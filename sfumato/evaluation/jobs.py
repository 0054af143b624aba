"""What a worker does for the evaluation room."""

import io
import json
import shutil
import time
from collections.abc import Generator, Iterator
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from sqlalchemy import select

import sfumato
from sfumato.checkpoints.card import Card
from sfumato.checkpoints.models import ModelView, find_model
from sfumato.data.records import DatasetVersion
from sfumato.db import DEFAULT_PROJECT, link, new_id
from sfumato.errors import Conflict
from sfumato.evaluation import scorer
from sfumato.evaluation.drawings import draw_batch
from sfumato.evaluation.evaluate import GROUPS, hash_of, measured_of
from sfumato.evaluation.measure import (
    Group,
    Measured,
    all_names,
    caption_of,
    choose_rows,
    measure,
    premultiplied,
)  # fmt: skip
from sfumato.evaluation.records import Measurement
from sfumato.evaluation.sheets import PAIRS, write_sheet
from sfumato.evaluation.words import sentences
from sfumato.generation.create import CreateOptions
from sfumato.generation.drawing import LARGEST_BATCH, Plan
from sfumato.generation.jobs import choose_engine, load_network
from sfumato.generation.knowledge import understand
from sfumato.jobs import JobContext, Progress, job
from sfumato.store.files import write_whole


@dataclass(frozen=True)
class Work:
    """One evaluation: whom, with what, and where its files go."""

    ctx: JobContext
    model: ModelView
    card: Card
    spec: dict[str, Any]
    engine: str

    @cached_property
    def plan(self) -> dict[str, Any]:
        """All that decides the numbers."""
        usual = CreateOptions()
        drawn = {name: getattr(usual, name) for name in ("sampler", "steps", "guidance")}
        return {**self.spec, **drawn, "engine": self.engine, "judge": scorer.load().sha256, "code": sfumato.__version__}

    @cached_property
    def plan_hash(self) -> str:
        """The name of the plan."""
        return hash_of(self.plan)

    @property
    def folder(self) -> Path:
        """Where contact sheets go, and drawings until all are done."""
        project = self.ctx.workspace.project
        own = "" if project == DEFAULT_PROJECT else f"-{project[-8:]}"  # what was measured elsewhere has no rows here
        return self.ctx.workspace.path / "evaluations" / f"{self.model.name}-{self.plan_hash[:8]}{own}"


@job("evaluation.evaluate", own_process=True, needs="evaluation.write")
def evaluate(ctx: JobContext, spec: dict[str, Any]) -> Generator[Progress, None, dict[str, Any]]:
    """Draw each group, measure it, and write down what was measured; batches that were drawn are not drawn again."""
    model = find_model(ctx.workspace, spec["model"], sha256=spec["sha256"])
    card = model.card()
    if (model.sha256, card.sha256) != (spec["sha256"], spec["card"]):
        raise Conflict(f"The model '{model.name}' was changed since this was asked.", hint="Ask again.")
    work = Work(ctx, model, card, spec, choose_engine(spec["engine"], model))
    told = work.folder / "result.json"
    if told.exists():  # all that decides the numbers is in the folder's name
        return dict(json.loads(told.read_text("utf-8")))
    groups = {split: choose_rows(card, split, spec["per_group"], spec["seed"]) for split in GROUPS}
    total = sum(map(len, groups.values()))
    network = None
    done = 0
    found: dict[str, Measured] = {}
    names = all_names(card)
    stages = Stages([split for split, rows in groups.items() if len(rows)], total)
    for place, name in enumerate(names):
        scorer.embed_name(name)
        if place % 25 == 0:
            yield stages.reading(place, len(names))
    for split, rows in groups.items():
        if not len(rows):
            continue
        network = network or load_network(work.engine, model)
        group = yield from _drawn(work, network, split, rows, stages)
        done += len(rows)
        yield stages.judging(split, done)
        found[split] = measure(card, group)
        real = np.stack([card.picture(row) for row in rows[:PAIRS]])
        write_sheet(work.folder / f"{GROUPS[split].replace(' ', '-')}.png", group.drawn, real, _caption(work, split))
    result = _result(work, found)
    _write_down(work, found)
    write_whole(told, json.dumps(result, ensure_ascii=False, indent=1).encode())
    shutil.rmtree(work.folder / "drawn", ignore_errors=True)
    return result


class Stages:
    """The stages of an evaluation as its progress names them, and the time left by the pace of its drawings."""

    def __init__(self, splits: list[str], total: int) -> None:
        self.splits, self.total = splits, total
        self.began: float | None = None
        self.drawn = 0.0  # of those in this attempt, which alone tell the pace
        self.last = 0.0

    def reading(self, done: int, of: int) -> Progress:
        """The names that drawings are told apart by are read."""
        return self._at(1, 0, f"reading names, {done:,} of {of:,}")

    def drawing(self, split: str, done: float, *, kept: bool = False) -> Progress:
        """A group is drawn; `kept` are drawings that an earlier attempt made."""
        if self.began is None:
            self.began, self.last = time.monotonic(), done
        self.drawn += 0.0 if kept else max(done - self.last, 0.0)
        self.last = max(done, self.last)
        return self._at(2 + 2 * self.splits.index(split), done, f"drawing {GROUPS[split]}")

    def judging(self, split: str, done: int) -> Progress:
        """A group that is drawn is measured."""
        return self._at(3 + 2 * self.splits.index(split), done, f"judging {GROUPS[split]}")

    def _at(self, stage: int, done: float, what: str) -> Progress:
        extra: dict[str, Any] = {}
        if self.began is not None and self.drawn > 0:
            each = (time.monotonic() - self.began) / self.drawn
            extra["seconds_left"] = round((self.total - done) * each)
        said = f"stage {stage} of {1 + 2 * len(self.splits)}: {what}"
        return Progress(round(done, 2), self.total, "drawings", said, extra)


def _drawn(
    work: Work, network: Any, split: str, rows: np.ndarray, stages: Stages
) -> Generator[Progress, None, Group]:
    """Draw every row's caption as `create` would, batch by batch, each batch kept once it is whole."""
    pictures, leaned, before = [], [], stages.last
    yield stages.drawing(split, before)
    for start in range(0, len(rows), LARGEST_BATCH):
        part = rows[start : start + LARGEST_BATCH]
        kept = work.folder / "drawn" / f"{split}-{start:05d}.npz"
        if kept.exists():
            yield stages.drawing(split, before + start + len(part), kept=True)
        else:
            for share in _draw_batch(work, network, part, kept):
                yield stages.drawing(split, before + start + share * len(part))
        with np.load(kept) as held:
            pictures.append(held["pictures"])
            leaned.append(held["leaned"])
    return Group(rows, premultiplied(np.concatenate(pictures)), np.concatenate(leaned))


def _draw_batch(work: Work, network: Any, rows: np.ndarray, kept: Path) -> Iterator[float]:
    """Draw a batch into a file; yields the share of it that is done."""
    usual = CreateOptions()
    plans = [
        Plan(
            understand(caption_of(work.card.items[row]), work.card), [work.spec["seed"] + int(row)],
            usual.sampler, usual.steps, usual.guidance,
        )
        for row in rows
    ]  # fmt: skip
    for thing in draw_batch(network, work.card, plans, work.ctx.cancelled):
        if isinstance(thing, float):
            yield thing
            continue
        pictures, leaned = np.stack([one.picture for one in thing]), np.array([one.reference for one in thing])
        write_whole(kept, _npz({"pictures": pictures, "leaned": leaned}))


def _npz(arrays: dict[str, np.ndarray]) -> bytes:
    out = io.BytesIO()
    np.savez(out, **arrays)  # type: ignore[arg-type]
    return out.getvalue()


def _caption(work: Work, split: str) -> str:
    return (
        f"Evaluation of {work.model.name}, {GROUPS[split]}: each pair is a drawing by the model, left, and the real "
        f"picture of the same prompt, right. Unpicked: the first {PAIRS} of seed {work.spec['seed']}. Not published."
    )


def _result(work: Work, found: dict[str, Measured]) -> dict[str, Any]:
    """What the evaluation found, as plain values."""
    judge = scorer.load().told
    result: dict[str, Any] = {
        "model": work.model.name,
        "checkpoint": work.model.ref,
        **{name: work.spec[name] for name in ("per_group", "seed")},
        **{name: work.plan[name] for name in ("engine", "sampler", "steps", "guidance")},
        "names": len(all_names(work.card)),
        "copy_distance": work.card.copy_distance,
        "calibrated_on": work.card.summary.get("calibrated_on", 0),
        "judge": {"styles": judge["styles"], "side": judge["side"], "sha256": work.plan["judge"]},
        "groups": {
            split: {
                "name": GROUPS[split],
                "n": len(one.pictures),
                "figures": {name: asdict(figure) for name, figure in one.figures.items()},
                "sheet": str(work.folder / f"{GROUPS[split].replace(' ', '-')}.png"),
                "pictures": one.pictures[:PAIRS],
            }
            for split, one in found.items()
        },
    }
    return result | {"says": sentences(result)}


def _write_down(work: Work, found: dict[str, Measured]) -> None:
    """Write each figure as a fact, linked to the checkpoint and the data; measured again, nothing is added."""
    content_hash = str(work.card.summary["content_hash"])
    with work.ctx.write() as session:
        if measured_of(session, Measurement.plan_hash == work.plan_hash):
            return
        version = session.scalar(select(DatasetVersion).where(DatasetVersion.content_hash == content_hash))
        data_ref = version.ref if version else f"dataset_version/{content_hash}"
        for split, one in found.items():
            for name, figure in one.figures.items():
                beside = {
                    key: asdict(side) for key, side in (("ceiling", figure.ceiling), ("floor", figure.floor)) if side
                }
                row = Measurement(
                    id=new_id(), made_by=work.ctx.actor.id, subject=work.model.ref, metric=name, group=GROUPS[split],
                    **asdict(figure.measured), plan_hash=work.plan_hash, details={"plan": work.plan, **beside},
                )  # fmt: skip
                session.add(row)
                link(session, row.ref, work.model.ref, "measured on")
                link(session, row.ref, data_ref, "asked from")
