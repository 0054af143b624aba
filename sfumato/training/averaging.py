"""Averages of any length after a run, put together from the two that its checkpoints kept on the way. Loads no torch.

An average of relative length s weighs the weights of the past by a power of their time; any such profile is nearly
a sum of the profiles that were kept (Karras et al. 2023, arXiv 2312.02696, section 3.2 and appendix C).
"""

from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from sqlalchemy import select
from sqlalchemy.orm import Session

from sfumato.actions import Act, action
from sfumato.checkpoints.header import read_header, read_tensors, write_checkpoint
from sfumato.checkpoints.records import Checkpoint, Model
from sfumato.db import ACROSS
from sfumato.errors import Conflict, InvalidInput, NotFound
from sfumato.jobs import JobContext, JobView, Progress, enqueue
from sfumato.training.kept import keep_checkpoint
from sfumato.training.records import Run
from sfumato.training.runs import check_name, find_run

LONGEST = 0.28  # a profile that weighs all of the run alike is 0.289 of it long
STEADY = 1e-6  # of a profile's own product: holds the shares small, since what was kept is rounded to bfloat16
FARTHEST = 0.1  # how far, relative to the wanted profile, the sum may be from it


@dataclass(frozen=True)
class Kept:
    """A checkpoint of an average: how far the run was, how long the average, and which file holds it."""

    samples_seen: int
    length: float
    sha256: str


@dataclass(frozen=True)
class Share:
    """How much of a kept average is in the one that is made."""

    kept: Kept
    weight: float


def exponent(length: float) -> float:
    """The power of the profile whose standard deviation is this share of the run (equation 6).

    As training's own (models/averages.py), which comes with torch; a test holds both equal.
    """
    roots = np.roots([1.0, 7.0, 16.0 - length**-2, 12.0 - length**-2])
    return float(max(root.real for root in roots if abs(root.imag) < 1e-9))


def products(
    times: np.ndarray, powers: np.ndarray, other_times: np.ndarray, other_powers: np.ndarray
) -> np.ndarray:  # fmt: skip
    """Inner products (N, M) of the profiles that end at `times` (N) and `other_times` (M) (appendix C, equation 68)."""
    ta, tb, pa, pb = times[:, None], other_times[None], powers[:, None], other_powers[None]
    ratio = (ta / tb) ** np.where(ta < tb, pb, -pa)
    return (pa + 1) * (pb + 1) * ratio / ((pa + pb + 1) * np.maximum(ta, tb))


def shares(kept: Sequence[Kept], length: float, at: int) -> tuple[list[Share], float]:
    """How much of each kept average makes the one of `length` after `at` pictures, and how far from it the sum is.

    The distance is that of the profiles, relative to the wanted one: 0 is equal. Shares add up to one.
    """
    times = np.array([one.samples_seen for one in kept], np.float64) / at
    powers = np.array([exponent(one.length) for one in kept])
    one, wanted = np.ones(1), np.array([exponent(length)])
    among, to, own = (
        products(times, powers, times, powers), products(times, powers, one, wanted)[:, 0],
        float(products(one, wanted, one, wanted)[0, 0]),
    )  # fmt: skip
    count = len(kept)
    system = np.ones((count + 1, count + 1))
    system[:count, :count] = among + STEADY * among.max() * np.eye(count)
    system[count, count] = 0.0
    found = np.linalg.solve(system, np.append(to, 1.0))[:count]
    apart = max(0.0, own - 2 * float(found @ to) + float(found @ among @ found))
    return [Share(one, float(weight)) for one, weight in zip(kept, found, strict=True)], float(np.sqrt(apart / own))


def kept_of(session: Session, run: Run, at: int = 0) -> list[Kept]:
    """The averages that a run's checkpoints hold, up to `at` pictures, the oldest first."""
    lengths = {"short": run.options.get("ema_short"), "long": run.options.get("ema_long")}
    rows = session.scalars(select(Checkpoint).where(Checkpoint.run_id == run.id).order_by(Checkpoint.samples_seen))
    return [
        Kept(row.samples_seen, float(length), row.content_hash)
        for row in rows
        if (length := lengths.get(row.ema)) and row.samples_seen and (not at or row.samples_seen <= at)
    ]


@action("training.average", needs="training.write")
def ask_for_average(act: Act, *, name: str, length: float, model: str = "", at: int = 0) -> JobView:
    """Make a model of a run whose weights are averaged over another share of it, without training again.

    `length` is relative to the run, as `ema_short` and `ema_long` are: 0.05 hardly looks back, 0.2 far. It is made
    after the last checkpoint, or after `at` pictures, from what the checkpoints kept, and called RUN-LENGTH or `model`.
    Raises NotFound, Conflict for a name that is taken, and InvalidInput for lengths that cannot be had.
    """
    run = find_run(act.session, name)
    if not 0 < length <= LONGEST:
        raise InvalidInput(
            f"An average of length {length:g} cannot be had.",
            hint=f"Say a share of the run above 0, up to {LONGEST:g}; 0.05 to 0.15 is usual.",
        )
    called = model or f"{run.name}-{length:g}"
    check_name(called)
    _check_free(act.session, called, run)
    kept = kept_of(act.session, run, at)
    if not kept:
        raise Conflict(
            f"The run '{run.name}' has kept no averages{f' up to {at:,} pictures' if at else ''}.",
            hint=f"`sfumato train show {run.name}` says how far it came; a checkpoint is kept every so many pictures.",
        )
    end = at or kept[-1].samples_seen
    apart = shares(kept, length, end)[1]
    if apart > FARTHEST:
        raise InvalidInput(
            f"An average of length {length:g} cannot be made of the {len(kept):,} that the run has kept: it would be "
            f"{apart:.0%} off.",
            hint=f"Take one nearer to {_listed(kept)}, or let a run keep more: smaller --checkpoint-every, no --keep.",
        )
    act.says(f"asked for the weights of {run.name} averaged over {length:g} of the run", subject=run.ref)
    spec = {"run": run.id, "length": length, "model": called, "at": end}
    return enqueue(act, kind="training.average", spec=spec, key=f"training.average:{called}")


def _check_free(session: Session, called: str, run: Run) -> None:
    """Raise Conflict where the name is another run's, or of a model that this does not make anew."""
    taken = select(Run.name).where(Run.name.in_({called, called.removesuffix("-long")}))
    if session.scalar(taken, execution_options=ACROSS) is not None:
        raise Conflict(f"A run makes a model of the name '{called}'.", hint="Take another name.")
    there = session.scalar(select(Model).where(Model.name == called), execution_options=ACROSS)
    if there is None:
        return
    row = session.get(Checkpoint, there.checkpoint_id)
    if row is None or row.run_id != run.id or row.ema in ("short", "long"):
        raise Conflict(f"There is a model '{called}' already.", hint="Take another name.")


def _listed(kept: Sequence[Kept]) -> str:
    lengths = sorted({one.length for one in kept})
    return " or ".join(f"{one:g}" for one in lengths)


def make(ctx: JobContext, spec: dict[str, Any]) -> Generator[Progress, None, dict[str, Any]]:
    """Put the average together, keep its file, then its row and its name; returns what was made."""
    store = ctx.workspace.store
    with ctx.workspace.read() as session:
        run = find_run(session, spec["run"])
        kept, name = kept_of(session, run, spec["at"]), run.name
    if not kept:
        raise NotFound(f"What '{name}' had kept was let go meanwhile.", hint="Let the run keep more: no --keep.")
    found, apart = shares(kept, spec["length"], spec["at"])
    total: dict[str, np.ndarray] = {}
    for place, share in enumerate(found):
        yield Progress(place, len(found), "checkpoints", "putting the average together")
        add(total, read_tensors(store.path(share.kept.sha256)), share.weight)
    header = read_header(store.path(kept[-1].sha256))
    header = header.model_copy(update={"ema": f"{spec['length']:g}", "samples_seen": spec["at"]})
    path = ctx.workspace.path / "tmp" / f"average-{ctx.job_id}.safetensors"
    path.parent.mkdir(exist_ok=True)
    weights = {one: values.astype(np.float32) for one, values in total.items()}
    try:
        write_checkpoint(path, weights, header, half=True)
        sha256 = store.put_file(path)
    finally:
        path.unlink(missing_ok=True)
    with ctx.write() as session:
        keep_checkpoint(
            session, made_by=ctx.actor.id, run_id=spec["run"], header=header, sha256=sha256, name=spec["model"]
        )
    yield Progress(len(found), len(found), "checkpoints", "done")
    return {"run": name, "model": spec["model"], "checkpoints": len(found), "off": round(apart, 4), "sha256": sha256}


def add(total: dict[str, np.ndarray], weights: Mapping[str, np.ndarray], share: float) -> None:
    """Add a share of some weights to a sum in float64."""
    for name, values in weights.items():
        part = values.astype(np.float64) * share
        total[name] = total[name] + part if name in total else part
