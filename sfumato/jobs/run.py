"""Running one attempt of one job: progress out, cancel in, the lease renewed beside it."""

import contextlib
import logging
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict
from datetime import timedelta
from typing import Any

from sqlalchemy import select

from sfumato.actions import Workspace
from sfumato.actions.registry import require
from sfumato.errors import Cancelled, SfumatoError
from sfumato.jobs.contract import JobContext, LeaseLost, Progress, find_kind
from sfumato.jobs.queue import database_now, mark
from sfumato.jobs.records import Job

LEASE = 30.0
log = logging.getLogger("sfumato.worker")


def run_attempt(
    workspace: Workspace, job_id: str, attempt: int, *, lease: float = LEASE, on_beat: object = None
) -> None:
    """Run the attempt to its end and write how it ended, unless another attempt owns the job by then."""
    with workspace.db.read() as session:
        row = session.scalars(select(Job).where(Job.id == job_id)).one()
        kind, spec, position = row.kind, row.spec, row.position
    context = JobContext(workspace, job_id, attempt, position)
    with _renewing(workspace, job_id, attempt, lease, on_beat):
        try:
            known = find_kind(kind)
            require(workspace.actor, known.needs)
            result = _work_off(context, known.run(context, spec))
            ending: dict[str, Any] = {"status": "done", "result": result}
        except Cancelled:
            ending = {"status": "cancelled"}
        except LeaseLost:
            log.warning("lost the lease of %s, attempt %s", job_id, attempt)
            return
        except SfumatoError as problem:
            said = {"code": problem.code, "message": problem.message, "hint": problem.hint}
            ending = {"status": "failed", "error": said}
        except Exception as problem:
            log.exception("job %s failed", job_id)
            said = {
                "code": 1,
                "message": f"{type(problem).__name__}: {problem}",
                "hint": "See logs/worker.log.",
            }
            ending = {"status": "failed", "error": said}
        with workspace.db.write() as session:
            mark(session, job_id, attempt, ended_at=database_now(session), **ending)


def _work_off(context: JobContext, steps: Iterator[Progress]) -> Any:
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
        if time.monotonic() - written >= 0.5:
            _write_progress(context, last)
            written = time.monotonic()
            if context.cancelled():
                steps.close()  # type: ignore[attr-defined]
                context_lost = _another_owns(context)
                raise (LeaseLost("Another attempt owns the job.") if context_lost else Cancelled("It was stopped."))


def _another_owns(context: JobContext) -> bool:
    with context.workspace.db.read() as session:
        return session.scalar(select(Job.attempt).where(Job.id == context.job_id)) != context.attempt


def _write_progress(context: JobContext, progress: Progress) -> None:
    with context.workspace.db.write() as session:
        if not mark(session, context.job_id, context.attempt, progress=asdict(progress)):
            raise LeaseLost("Another attempt owns the job.")


@contextlib.contextmanager
def _renewing(workspace: Workspace, job_id: str, attempt: int, lease: float, on_beat: object) -> Iterator[None]:
    """Renew the lease from a thread; a stalled process stops renewing, which is the point."""
    over = threading.Event()

    def renew() -> None:
        while not over.wait(min(5.0, lease / 4)):
            with contextlib.suppress(SfumatoError):
                _renew(workspace, job_id, attempt, lease)
                if isinstance(on_beat, Callable):  # type: ignore[arg-type]
                    on_beat()  # type: ignore[operator]

    thread = threading.Thread(target=renew, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def _renew(workspace: Workspace, job_id: str, attempt: int, lease: float) -> None:
    with workspace.db.write() as session:
        mark(session, job_id, attempt, lease_until=database_now(session) + timedelta(seconds=lease))
