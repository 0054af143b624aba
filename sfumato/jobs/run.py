"""Running one attempt of one job: progress out, cancel in, the lease renewed beside it."""

import contextlib
import functools
import logging
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import select

from sfumato import logs
from sfumato.actions import Actor, Workspace
from sfumato.actions.registry import require
from sfumato.errors import Busy, Cancelled, SfumatoError
from sfumato.jobs.contract import JobContext, LeaseLost, Progress, find_kind
from sfumato.jobs.queue import FREEING, database_now, mark
from sfumato.jobs.records import Job
from sfumato.people.identify import roles_still_held
from sfumato.store.disk import require_room

LEASE = 30.0
log = logging.getLogger("sfumato.worker")


class Interrupted(Exception):
    """The worker was told to stop; the job waits for the next one, which goes on where this one was."""


def as_asked(workspace: Workspace, job: Job) -> Workspace:
    """The workspace as whoever asked for a job sees it: in its project, with what they still hold of their roles."""
    with workspace.read() as session:
        roles = roles_still_held(session, job.made_by, job.project_id, tuple(job.roles))
    person = Actor(job.made_by, job.made_by.removeprefix("person/"), roles, job.project_id)
    return workspace.in_project(job.project_id).as_actor(person)


def run_attempt(
    workspace: Workspace,
    job_id: str,
    attempt: int,
    *,
    lease: float = LEASE,
    stop: threading.Event | None = None,
    on_beat: Callable[[], None] | None = None,
) -> None:
    """Run the attempt to its end and write how it ended, unless another attempt owns the job by then.

    Once `stop` is set, the job is left after its present step and waits again, at once.
    """
    with workspace.read() as session:
        row = session.scalars(select(Job).where(Job.id == job_id)).one()
        kind, spec, position, lane = row.kind, row.spec, row.position, row.lane
    context = JobContext(workspace, job_id, attempt, position, lane)
    told: dict[str, Any] = {"job": job_id, "job_kind": kind, "attempt": attempt}
    with logs.about(person=workspace.actor.id), _renewing(workspace, job_id, attempt, lease, on_beat):
        job_log(workspace).write("job.started", **told)
        ending = _ending(context, kind, spec, stop or threading.Event())
        job_log(workspace).write("job.ended", status=ending["status"] if ending else "lease lost", **told)
        if ending is None:
            log.warning("lost the lease of %s, attempt %s", job_id, attempt)
            return
        with workspace.write() as session:
            if ending["status"] != "waiting":
                ending["ended_at"] = database_now(session)
            mark(session, job_id, attempt, **ending)


def job_log(workspace: Workspace) -> logs.Log:
    """The log of the workspace's jobs: starts, ends, and failures with the id that their error shows."""
    return _job_log(workspace.path / "logs")


@functools.lru_cache(maxsize=8)
def _job_log(folder: Path) -> logs.Log:
    return logs.Log(folder, "jobs")


def _where(error: str) -> str:
    return f"`sfumato logs {error}` shows where it arose; so does logs/worker.log."


def _ending(context: JobContext, kind: str, spec: dict[str, Any], stop: threading.Event) -> dict[str, Any] | None:
    """Do the work; how it ended as columns of the job's row, None if another attempt owns it by now."""
    try:
        known = find_kind(kind)
        require(context.workspace, known.needs)
        if not kind.startswith(FREEING):
            require_room(context.workspace.path, context.workspace.settings.free_mb)
        with contextlib.closing(known.run(context, spec)) as steps:  # type: ignore[type-var]
            return {"status": "done", "result": _work_off(context, steps, stop)}
    except Interrupted:
        with context.workspace.read() as session:
            tries = session.scalar(select(Job.tries).where(Job.id == context.job_id)) or 1
        return {"status": "waiting", "worker": None, "lease_until": None, "tries": tries - 1}
    except Cancelled:
        return {"status": "cancelled"}
    except LeaseLost:
        return None
    except SfumatoError as problem:
        said = {"code": problem.code, "message": problem.message, "hint": problem.hint}
        told = {"job": context.job_id, "job_kind": kind, "kind": type(problem).__name__, "message": problem.message}
        job_log(context.workspace).write("job.failed", level="warning", **told)
        return {"status": "failed", "error": said}
    except Exception as problem:
        log.exception("job %s failed", context.job_id)
        found = job_log(context.workspace).failure("job.failed", problem, job=context.job_id, job_kind=kind)
        said = {"code": 1, "message": f"{type(problem).__name__}: {problem}", "hint": _where(found), "id": found}
        return {"status": "failed", "error": said}


def _work_off(context: JobContext, steps: Iterator[Progress], stop: threading.Event) -> Any:
    """Drive the generator; progress is written at most twice a second, and cancel is looked at as often."""
    written = 0.0
    last: Progress | None = None
    while True:
        try:
            last = next(steps)
        except StopIteration as finished:
            if last is not None:
                _write_progress(context, last)
            return finished.value
        if stop.is_set():
            _write_progress(context, last)
            raise Interrupted
        if time.monotonic() - written >= 0.5:
            with contextlib.suppress(Busy):  # the next half second will do as well
                _write_progress(context, last)
                if context.cancelled():
                    context.check()
                    raise Cancelled("It was stopped.")
            written = time.monotonic()


def _write_progress(context: JobContext, progress: Progress) -> None:
    with context.workspace.write() as session:
        if not mark(session, context.job_id, context.attempt, progress=asdict(progress)):
            raise LeaseLost("Another attempt owns the job.")


@contextlib.contextmanager
def _renewing(
    workspace: Workspace, job_id: str, attempt: int, lease: float, on_beat: Callable[[], None] | None
) -> Iterator[None]:
    """Renew the lease from a thread; a stalled process stops renewing, which is the point."""
    over = threading.Event()

    def renew() -> None:
        while not over.wait(min(5.0, lease / 4)):
            try:
                _renew(workspace, job_id, attempt, lease)
                if on_beat:
                    on_beat()
            except Exception as problem:  # a beat that is missed is made good by the next
                log.warning("could not renew the lease of %s: %s", job_id, problem)

    thread = threading.Thread(target=renew, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def _renew(workspace: Workspace, job_id: str, attempt: int, lease: float) -> None:
    with workspace.write() as session:
        mark(session, job_id, attempt, lease_until=database_now(session) + timedelta(seconds=lease))
