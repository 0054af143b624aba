"""A loop of one's own, in any framework, with the run page, record and trace of a recipe's runs. Loads no torch.

with sfumato.run("mine", data="icons@latest", workspace=workspace) as run:
    for step in range(run.step, 10_000):
        run.log(step=step + 1, loss=loss)
"""

import contextlib
import os
import threading
import time
from dataclasses import asdict, dataclass
from datetime import timedelta
from pathlib import Path
from types import TracebackType
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

import sfumato
from sfumato.actions import Act, Workspace, action
from sfumato.checkpoints.header import Header
from sfumato.checkpoints.records import Checkpoint
from sfumato.data.freeze import VersionView, find_version
from sfumato.db import link, new_id
from sfumato.errors import Busy, Cancelled, Conflict, InvalidInput
from sfumato.jobs import JobContext, LeaseLost, Progress, enqueue
from sfumato.jobs.queue import database_now, mark, worker_name
from sfumato.jobs.records import Job
from sfumato.training.drawn import as_pictures
from sfumato.training.folder import log_step, prepare, save_preview
from sfumato.training.kept import keep_checkpoint
from sfumato.training.provenance import Meter, code_of, environment
from sfumato.training.records import OWN, Run
from sfumato.training.runs import check_name, check_unused
from sfumato.training.weights import FILE, as_safetensors, hash_of, keep_file

LEASE = 30.0  # seconds after which a script that says nothing any more counts as gone
BEAT = 5.0
OFTEN = 0.2  # seconds between lines of the log; the losses between two are averaged
AT_ONCE = 0.5


@dataclass(frozen=True)
class Begun:
    """What a script holds of its run: the record, the job, and how far earlier sittings came."""

    run_id: str
    job_id: str
    attempt: int
    step: int
    took: dict[str, Any]


@action("training.run", needs="training.write", doors=("library",))
def begin(
    act: Act, *, name: str, version: VersionView, options: dict[str, Any], code: dict[str, Any], lease: float = LEASE
) -> Begun:
    """Begin a run of a loop of one's own, or go on with it; raises Conflict where it is somebody else's or runs now."""
    run = act.session.scalar(select(Run).where(Run.name == name))
    if run is None:
        check_unused(act.session, name)
        run = Run(id=new_id(), made_by=act.actor.id, name=name, recipe=OWN, options=options, version_id=version.id,
                  seed=int(options.get("seed", 0)), machine={}, details={})  # fmt: skip
        act.session.add(run)
        act.session.flush()
        link(act.session, run.ref, f"dataset_version/{version.id}", "learnt from")
        act.says(f"began the run {name}, a loop of their own, on {version.label}", subject=run.ref)
    elif (run.recipe, run.version_id) != (OWN, version.id):
        raise Conflict(f"There is a run '{name}' already, of another recipe or data.", hint="Take another name.")
    else:
        act.says(f"went on with {name}", subject=run.ref)
    known = run.details.get("provenance", {}) | {"environment": environment()} | ({"code": code} if code else {})
    run.details = run.details | {"provenance": known}
    run.options = run.options | options
    job_id, attempt = _claim(act, run, lease)
    return Begun(run.id, job_id, attempt, run.samples_seen, known.get("took", {}))


def _claim(act: Act, run: Run, lease: float) -> tuple[str, int]:
    """A job that this process holds; one of a script that is gone ends first."""
    session, key = act.session, f"training.own:{run.id}"
    moment = database_now(session)
    before = session.scalar(select(Job).where(Job.key == key, Job.status.in_(("waiting", "running"))))
    if before is not None:
        if before.lease_until is not None and before.lease_until > moment:
            raise Conflict(f"The run '{run.name}' is going on in another process.", hint="Stop that one first.")
        before.status, before.ended_at = "cancelled", moment
        session.flush()
    job = enqueue(act, kind="training.own", spec={"run": run.id, "name": run.name}, key=key, lane="own")
    held = {"status": "running", "attempt": 1, "tries": 1, "worker": worker_name(os.getpid()) + new_id()[-6:],
            "lease_until": moment + timedelta(seconds=lease), "started_at": moment}  # fmt: skip
    session.execute(update(Job).where(Job.id == job.id).values(**held))
    run.job_id = job.id
    return job.id, 1


class OwnRun:
    """A run that a script goes through: it says figures, shows pictures and leaves weights."""

    def __init__(self, workspace: Workspace, name: str, version: VersionView, begun: Begun, total: int) -> None:
        self.workspace, self.name, self.version, self.total = workspace, name, version, total
        self.id, self.step = begun.run_id, begun.step
        self._job = JobContext(workspace, begun.job_id, begun.attempt)
        self._meter = Meter(begun.took)
        self._folder = workspace.path / "runs" / begun.run_id
        self._losses: list[float] = []
        self._extra: dict[str, Any] = {}
        self._written = self._told = self._metered = 0.0
        self._since: tuple[float, int] | None = None  # when the first step was told, and which
        self._over = threading.Event()
        self._beat = threading.Thread(target=self._renew, daemon=True)

    def log(
        self, *, step: int | None = None, loss: float | None = None, held_out: float | dict[str, float] | None = None,
        **figures: float,
    ) -> None:  # fmt: skip
        """Say how far the loop is and what was measured there.

        `held_out` is a loss on what the loop has not learnt from, one or several by name. Losses are averaged
        between the lines of the log, five in a second. Raises Cancelled when somebody has stopped the run.
        """
        now = time.monotonic()
        self.step = self.step + 1 if step is None else int(step)
        self._since = self._since or (now, self.step)
        if loss is not None:
            self._losses.append(float(loss))
        known = {key: float(value) for key, value in figures.items()}
        if held_out is not None:
            pairs = held_out.items() if isinstance(held_out, dict) else [("held out", held_out)]
            known["held_out"] = {str(key): float(value) for key, value in pairs}  # type: ignore[assignment]
        if known or now - self._written >= OFTEN:
            self._write(known)
        if now - self._told >= AT_ONCE:
            self._tell()

    def preview(self, pictures: Any, *, step: int | None = None) -> Path:
        """Show pictures that the loop draws now: arrays, tensors or Pillow's, of one size; returns the sheet's file."""
        sheet = as_pictures(pictures)
        self._job.check()
        path = save_preview(self._folder, self.step if step is None else step, sheet)
        self._extra["preview"] = str(path.relative_to(self.workspace.path))
        return path

    def checkpoint(self, weights: Any, *, step: int | None = None) -> str:
        """Keep weights and return their hash: a state dict, module, Keras model, or the path of a file.

        They become the model of the run's name. What is no safetensors file is kept as it is and never opened.
        """
        self._job.check()
        at = self.step if step is None else step
        store = self.workspace.store
        if isinstance(weights, str | Path):
            path = Path(weights).expanduser()
            unopened = path.suffix != ".safetensors"
            header = self._header(at, FILE if unopened else OWN, {"file": path.name, "sha256": hash_of(path)})
            sha256 = keep_file(store, path, header)
        else:
            header = self._header(at, OWN, {"kind": type(weights).__name__})
            sha256 = store.put(as_safetensors(weights, header))
        with self._job.write() as session:
            keep_checkpoint(
                session, made_by=self._job.actor.id, run_id=self.id, header=header, sha256=sha256, name=self.name
            )
            session.execute(update(Run).where(Run.id == self.id).values(samples_seen=at))
        self._write({})
        return sha256

    def last_checkpoint(self) -> Path | None:
        """The file of the newest weights that the run has left, to go on from; None before the first."""
        with self.workspace.read() as session:
            found = session.scalar(
                select(Checkpoint.content_hash).where(Checkpoint.run_id == self.id)
                .order_by(Checkpoint.samples_seen.desc(), Checkpoint.id.desc()).limit(1)
            )  # fmt: skip
        return self.workspace.store.path(found) if found and self.workspace.store.has(found) else None

    def _header(self, at: int, architecture: str, options: dict[str, Any]) -> Header:
        data = {"name": self.version.label, "content_hash": self.version.content_hash, **self.version.summary}
        return Header(architecture=architecture, options=options, recipe=OWN, run=self.name, data=data,
                      samples_seen=at, code=sfumato.__version__)  # fmt: skip

    def _write(self, known: dict[str, Any]) -> None:
        """Append a line to the run's log: the mean of the losses since the last one, and what else was said."""
        if self._losses:
            known = known | {"loss": round(sum(self._losses) / len(self._losses), 6)}
            self._losses = []
        if self._since and self.step > self._since[1]:
            speed = (self.step - self._since[1]) / max(time.monotonic() - self._since[0], 1e-9)
            known["steps_per_second"] = round(speed, 2)
        self._extra |= known
        self._written = time.monotonic()
        if known:
            log_step(self._folder, self.step, **known)

    def _tell(self) -> None:
        """Write progress into the record, and look whether somebody has asked to stop."""
        self._told = time.monotonic()
        with contextlib.suppress(Busy):
            with self._job.write() as session:
                shown = asdict(Progress(self.step, self.total, "steps", "training", dict(self._extra)))
                mark(session, self._job.job_id, self._job.attempt, progress=shown)
                session.execute(update(Run).where(Run.id == self.id).values(samples_seen=self.step))
                self._keep_figures(session)
            if self._job.cancelled():
                self._job.check()
                raise Cancelled("It was stopped.", hint="Run the script again: it goes on.")

    def _keep_figures(self, session: Session) -> None:
        if time.monotonic() - self._metered < BEAT and not self._over.is_set():
            return
        self._metered = time.monotonic()
        details = session.scalar(select(Run.details).where(Run.id == self.id)) or {}
        whole = details | {"provenance": details.get("provenance", {}) | {"took": self._meter.read()}}
        session.execute(update(Run).where(Run.id == self.id).values(details=whole))

    def _renew(self) -> None:
        while not self._over.wait(BEAT):
            with contextlib.suppress(Exception), self.workspace.write() as session:  # a missed beat is made good
                until = database_now(session) + timedelta(seconds=LEASE)
                mark(session, self._job.job_id, self._job.attempt, lease_until=until)

    def __enter__(self) -> "OwnRun":
        prepare(self._folder)
        self._beat.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trail: TracebackType | None
    ) -> None:
        self._over.set()
        self._beat.join()
        self._write({})
        ending: dict[str, Any] = {"status": "done", "result": {"run": self.name, "samples_seen": self.step}}
        if isinstance(problem, Cancelled | KeyboardInterrupt):
            ending = {"status": "cancelled"}
        elif problem is not None:
            hint = "Run the script again: it goes on from what was kept."
            ending = {"status": "failed", "error": {"code": 1, "message": f"{type(problem).__name__}: {problem}",
                                                    "hint": hint}}  # fmt: skip
        with contextlib.suppress(LeaseLost), self._job.write() as session:
            shown = asdict(Progress(self.step, self.total, "steps", "training", dict(self._extra)))
            session.execute(update(Run).where(Run.id == self.id).values(samples_seen=self.step))
            self._keep_figures(session)
            mark(session, self._job.job_id, self._job.attempt, progress=shown, ended_at=database_now(session), **ending)


def run(name: str, *, data: str, workspace: Workspace, steps: int = 0, options: dict[str, Any] | None = None) -> OwnRun:
    """A run of a loop of one's own on NAME@VERSION, for `with`; by the same name and data it goes on.

    `steps` is how many there will be, if that is known; `options` are kept with the run to be compared and repeated.
    `run.step` is how far earlier sittings came. An exception marks the run failed, with its reason.
    """
    check_name(name)
    if steps < 0:
        raise InvalidInput("The number of steps cannot be below nought.")
    version = find_version(workspace, label=data)
    kept = dict(options or {}) | ({"samples": steps} if steps else {})
    begun = begin(workspace, name=name, version=version, options=kept, code=code_of(Path.cwd(), workspace.store))
    return OwnRun(workspace, name, version, begun, steps)
