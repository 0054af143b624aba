"""What a worker does for the training room."""

import math
import time
from collections.abc import Generator
from pathlib import Path
from typing import Any

import torch
from sqlalchemy import select, update

import sfumato
from sfumato.checkpoints.header import lineage_of
from sfumato.data.versions import FrozenVersion, open_version_by_id
from sfumato.db.engine import in_words
from sfumato.errors import Cancelled, InvalidInput
from sfumato.jobs import JobContext, LeaseLost, Progress, job
from sfumato.training import averaging, saving, together
from sfumato.training.cards import has_card, make_card
from sfumato.training.feeding import captions_of, card_size, load, options_of
from sfumato.training.folder import Smoothed, keep_captions, last_logged, last_loss, log_step, prepare, save_preview
from sfumato.training.hardware import cores, has_bf16, memory_used, processor
from sfumato.training.kept import keep_checkpoint
from sfumato.training.letting_go import let_go
from sfumato.training.loop import Diverged, Learner, Step, align, count_flops, crosses, take_step, train
from sfumato.training.machine import Machine, probe
from sfumato.training.processes import TOGETHER, place
from sfumato.training.provenance import Meter, environment
from sfumato.training.records import Run
from sfumato.training.runs import LONGER, RunView, recipe, show_run
from sfumato.training.together import Team
from sfumato.training.worst import keep_worst

POINTS = 400  # of the curve that is drawn while a run learns
PREVIEWED = 16  # captions that are drawn for each preview


@job("training.train", own_process=True, needs="training.write")
def run(ctx: JobContext, spec: dict[str, Any]) -> Generator[Progress, None, dict[str, Any]]:
    """Train a run from its newest whole state to its end, saving as it goes, and make the card of its data.

    Asked for by a command that was started several times, it leads the others, each of which computes its share.
    """
    team = together.join(place()) if ctx.lane == TOGETHER else Team()
    try:
        return (yield from _run(ctx, spec, team))
    finally:
        together.leave()


def _run(ctx: JobContext, spec: dict[str, Any], team: Team) -> Generator[Progress, None, dict[str, Any]]:
    wanted = show_run(ctx.workspace, name=spec["run"])
    module = recipe(wanted.recipe)
    options = options_of(ctx.workspace, module, wanted.options, wanted.parent_sha256)
    if options.batch < team.size:
        raise InvalidInput(
            f"A batch of {options.batch:,} pictures cannot be shared among {team.size:,} processes.",
            hint="Start fewer processes, or give a larger batch.",
        )
    folder = ctx.workspace.path / "runs" / wanted.id
    version = open_version_by_id(ctx.workspace, wanted.version_id)
    yield Progress(0, options.samples, "images", f"reading the pictures{version.gap_in_words}")
    with in_words():  # a full disk, wherever it is met
        prepare(folder)
        words = getattr(module, "WORDS", True)
        if hasattr(module, "weigh"):
            yield Progress(0, options.samples, "images", "finding out what it takes")
            module.check(options, module.weigh(module, options, len(version.items), captions_of(version)))
        material = yield from _loading(load(ctx.workspace, version, module, options, wanted.parent_sha256), options)
        team.tell({"run": wanted.id, "project": ctx.workspace.project})
        team.agree()  # all have read what they learn from
        yield Progress(0, options.samples, "images", "finding out what is fastest here")
        learner = _learner(ctx, wanted, module, options, material, team=team)
        meter = Meter(wanted.details.get("provenance", {}).get("took"), others=lambda: team.others_cpu)
        keep_provenance(ctx, wanted.id, environment=environment() | {"threads": learner.machine.threads})
        if hasattr(material, "fitted"):
            keep_provenance(ctx, wanted.id, fitted=material.fitted)
        yield Progress(learner.samples_seen, options.samples, "images", "training")
        figures = yield from _training(ctx, wanted, version, learner, material, folder, meter=meter)
        if words and not has_card(version, size := card_size(module, options)):
            seen = learner.samples_seen
            yield Progress(seen, options.samples, "images", "making the training card", figures)
            make_card(version, size)
        keep_provenance(ctx, wanted.id, took=meter.read())
    told = {"erased_left_out": version.gap} if version.gap else {}
    return {"run": wanted.name, "samples_seen": learner.samples_seen, "model": wanted.name, **told}


@job("training.average", needs="training.write")
def average(ctx: JobContext, spec: dict[str, Any]) -> Generator[Progress, None, dict[str, Any]]:
    """Make a model of a run whose weights are averaged over another share of it."""
    return (yield from averaging.make(ctx, spec))


@job("training.card", needs="training.write")
def card(ctx: JobContext, spec: dict[str, Any]) -> Generator[Progress, None, dict[str, Any]]:
    """Make the training card of a model from the version it learnt from."""
    version = open_version_by_id(ctx.workspace, spec["version"])
    yield Progress(0, version.view.n, "pictures", f"making the training card{version.gap_in_words}")
    with in_words():
        path = make_card(version, spec["size"])
    yield Progress(version.view.n, version.view.n, "pictures", "done")
    return {"model": spec["model"], "path": str(path), "bytes": path.stat().st_size, "n": version.view.n}


def _loading(steps: Generator[tuple[int, int, str], None, Any], options: Any) -> Generator[Progress, None, Any]:
    while True:
        try:
            done, total, what = next(steps)
        except StopIteration as finished:
            return finished.value
        yield Progress(0, options.samples, "images", f"{what}, {done:,} of {total:,}")


def _learner(ctx: JobContext, wanted: RunView, module: Any, options: Any, material: Any, *, team: Team) -> Learner:
    """The learner as its newest state left it, or a fresh one, the same in every process of the team.

    It computes as it was found to be fastest at its first start, unless it goes on in another number of processes; its
    number format stays even then.
    """
    found = saving.newest_state(ctx.workspace.path / "runs" / wanted.id)
    kept = Machine.model_validate_json(found[1]["machine"]) if found else Machine.model_validate(wanted.machine)
    known = bool(found or wanted.machine) and kept.processes == team.size
    machine = kept if known else _probe(module, options, material, team, going_on=kept if found else None)
    learner = Learner.fresh(module, options, machine)
    learner.team = team
    if found:
        learner.restore(found[0], int(found[1]["samples_seen"]))
    if wanted.parent_sha256 and (not found or hasattr(module, "begin_from")):
        # of a recipe that learns beside its parent the state holds only what is beside it
        saving.begin_from(learner, ctx.workspace.store.path(wanted.parent_sha256))
    if not found or not known:
        with ctx.write() as session:
            session.execute(update(Run).where(Run.id == wanted.id).values(machine=learner.machine.model_dump()))
    team.tell(learner.machine.model_dump())
    align(learner)
    return learner


def _probe(module: Any, options: Any, material: Any, team: Team, *, going_on: Machine | None = None) -> Machine:
    """What is fastest here for one process's share, told by steps of a learner that is thrown away."""
    if not getattr(module, "TRIED", True):
        half = going_on.bf16 if going_on else has_bf16()
        return Machine(bf16=half, threads=cores(), processes=team.size, processor=processor())
    given = team.share(module.batch(options, material, 0))
    trier = Learner.fresh(module, options, Machine())
    attention = hasattr(trier.net, "fused_attention")
    formats = (True, False) if getattr(module, "BF16", True) else (False,)
    if going_on:
        formats = (going_on.bf16,)

    def trial(choice: Machine) -> None:
        trier.machine = choice
        if attention:
            trier.net.fused_attention = choice.fused_attention  # type: ignore[assignment]
        take_step(trier, given)

    chosen = probe(trial, len(next(iter(given.values()))), bf16=formats, attention=attention)
    rate = round(chosen.images_per_second * team.size, 1)
    return chosen.model_copy(update={"processes": team.size, "images_per_second": rate})


def _training(
    ctx: JobContext, wanted: RunView, version: FrozenVersion, learner: Learner, material: Any, folder: Path,
    *, meter: Meter,
) -> Generator[Progress, None, dict[str, Any]]:  # fmt: skip
    flops = count_flops(learner, material)
    words = getattr(learner.recipe, "WORDS", True)
    if words:
        count = getattr(learner.options, "previews", PREVIEWED)
        keep_captions(folder, [material.lines[row].name for row in material.preview_rows(count)])
    start, before, spent = time.monotonic(), learner.samples_seen, 0.0
    extra: dict[str, Any] = last_logged(folder)
    smooth, seen, steps = Smoothed(*last_loss(folder)), before, train(learner, material)
    try:
        for step in steps:
            spent += step.seconds
            smooth.see(step.loss)
            if step.said:
                extra["said"] = step.said
                log_step(folder, learner.samples_seen, into="said.jsonl", said=step.said)
                with ctx.write() as session:  # what it came to in trouble is kept when it goes on
                    machine = learner.machine.model_dump()
                    session.execute(update(Run).where(Run.id == wanted.id).values(machine=machine))
            speed = (learner.samples_seen - before) / max(spent, 1e-9)
            left = (learner.options.samples - learner.samples_seen) * (time.monotonic() - start)
            extra |= {
                "loss": smooth.shown, "images_per_second": round(speed, 1),
                "tflops": round(speed * flops / 1e12, 4),
                "seconds_left": round(left / max(learner.samples_seen - before, 1)),
                "memory": memory_used(),
            }  # fmt: skip
            _keep(ctx, wanted, version, learner, step, folder, extra=extra)
            if step.save and words and not has_card(version, size := card_size(learner.recipe, learner.options)):
                seen_so_far = learner.samples_seen, learner.options.samples
                yield Progress(*seen_so_far, "images", "making the training card", dict(extra))
                make_card(version, size)  # from now on its model draws
            if step.save or meter.due():
                keep_provenance(ctx, wanted.id, took=meter.read())
            if crosses(seen, learner.samples_seen, max(1, learner.options.samples // POINTS)):
                told = by_phase(step) | {"loss": extra["loss"], "of": smooth.count}
                log_step(folder, learner.samples_seen, into="curve.jsonl", **told)
            seen = learner.samples_seen
            yield Progress(learner.samples_seen, learner.options.samples, "images", "training", dict(extra))
    except (Diverged, LeaseLost):
        raise  # what is in memory is not sound, or not ours to keep
    except BaseException:  # stopped, or in trouble: nothing seen is lost
        if learner.samples_seen > before and not learner.half and ctx.is_ours():
            saving.save_state(folder, learner)
            keep_provenance(ctx, wanted.id, took=meter.read())
            with ctx.write() as session:
                session.execute(update(Run).where(Run.id == wanted.id).values(samples_seen=learner.samples_seen))
        raise
    finally:
        steps.close()  # the others of its team stop too
    return extra


def by_phase(step: Step) -> dict[str, float]:
    """The loss of each phase of a step under its name, where there are several and it is a number."""
    several = len(step.parts) > 1
    return {f"{name} loss": round(loss, 4) for name, loss in step.parts.items() if several and math.isfinite(loss)}


def _keep(
    ctx: JobContext, wanted: RunView, version: FrozenVersion, learner: Learner, step: Step, folder: Path,
    *, extra: dict[str, Any],
) -> None:  # fmt: skip
    """Write what this step asks to be kept: preview, held-out loss, checkpoints with their rows, and the state.

    The state comes last: whoever is killed before it does this step again and writes the very same bytes.
    """
    if step.preview is not None or step.save:
        ctx.check()  # files of the run belong to whoever holds its job
    if step.preview is not None:
        path = save_preview(folder, step.samples_seen, step.preview)
        extra["preview"] = str(path.relative_to(ctx.workspace.path))
    if step.worst is not None:
        keep_worst(folder, step.samples_seen, step.worst)
    if not step.save:
        return
    if not all(bool(torch.isfinite(weight).all()) for weight in learner.net.parameters()):
        raise Diverged(
            f"The weights are not numbers at sample {learner.samples_seen:,}.", hint="The last checkpoint is kept."
        )
    extra["held_out"] = step.held_out
    parent = wanted.parent_sha256 or ""
    facts = {
        "recipe": wanted.recipe, "run": wanted.name, "code": sfumato.__version__,
        "parent": parent, "lineage": lineage_of(ctx.workspace.store.path(parent), parent) if parent else [],
        "data": {"name": version.label, "content_hash": version.content_hash, **version.facts},
    }  # fmt: skip
    for length in learner.averages:
        path, header, sha256 = saving.export(folder, learner, length, facts)
        try:
            ctx.workspace.store.put_file(path)
        finally:
            path.unlink()
        name = wanted.name if length == "short" else f"{wanted.name}-{LONGER}"
        with ctx.write() as session:
            keep_checkpoint(session, made_by=ctx.actor.id, run_id=wanted.id, header=header, sha256=sha256, name=name)
    with ctx.write() as session:
        session.execute(update(Run).where(Run.id == wanted.id).values(samples_seen=step.samples_seen))
    log_step(folder, step.samples_seen, **{key: extra[key] for key in sorted(extra)})
    saving.save_state(folder, learner)
    if wanted.details.get("keep"):
        let_go(ctx, wanted.id, wanted.details["keep"], folder)


def keep_provenance(ctx: JobContext, run: str, **known: Any) -> None:
    """Add to what is known of where a run comes from; what was known before stays."""
    with ctx.write() as session:
        details = session.scalar(select(Run.details).where(Run.id == run)) or {}
        whole = details | {"provenance": details.get("provenance", {}) | known}
        session.execute(update(Run).where(Run.id == run).values(details=whole))


@job("training.own", needs="training.write")
def own(ctx: JobContext, spec: dict[str, Any]) -> Generator[Progress, None, dict[str, Any]]:
    """End a run whose own script is gone: nobody but that script can go on with it."""
    yield Progress(say="its script is gone")
    raise Cancelled(f"The script of the run {spec['name']} ended without a word. Run it again: it goes on.")
