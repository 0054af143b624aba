"""A worker: claims jobs by conditional updates, runs them, and renews its lease while it lives.

python -m sfumato.jobs.worker --workspace DIR [--job ID]
"""

import argparse
import contextlib
import logging
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import delete, or_, select, update

from sfumato import logs
from sfumato.actions import Workspace
from sfumato.db import new_id, rows_changed
from sfumato.errors import Busy, NoSpace, SfumatoError
from sfumato.jobs.child import watch
from sfumato.jobs.contract import find_kind
from sfumato.jobs.lanes import LANES as NAMED
from sfumato.jobs.queue import database_now, handed_on, mark, worker_name
from sfumato.jobs.records import Job, Worker
from sfumato.jobs.run import LEASE, as_asked, run_attempt

LANES = tuple(NAMED)
TRIES = 5  # attempts in a row that die without getting further, until a job is given up
TROUBLES = 6  # times in a row that the database may be busy or the disk full, until a worker gives up
GRACE = 60.0  # seconds that a child has for its present step once it is told to stop
TUNED = {  # for a child that trains: threads that wait awake for a moment only, an allocator that keeps its pages
    "OMP_WAIT_POLICY": "PASSIVE",
    "GOMP_SPINCOUNT": "100000",
    "MALLOC_MMAP_THRESHOLD_": str(32 << 20),
    "MALLOC_MMAP_MAX_": "0",
    "MALLOC_TRIM_THRESHOLD_": str(16 << 30),
    "MALLOC_TOP_PAD_": str(256 << 20),
}
log = logging.getLogger("sfumato.worker")


def claim(workspace: Workspace, me: str, lanes: tuple[str, ...], only_job: str | None, lease: float) -> Job | None:
    """Take one job that waits, or whose holder let its lease run out; None when there is none."""
    with workspace.db.write() as session:
        moment = database_now(session)
        free = or_(Job.status == "waiting", (Job.status == "running") & (Job.lease_until < moment))
        wanted = (Job.id == only_job) if only_job else Job.lane.in_(lanes)
        oldest = select(Job).where(free, wanted).order_by(Job.id).limit(1)
        row = session.scalar(oldest.with_for_update(skip_locked=True))  # SQLite's writers wait for each other anyway
        if row is None:
            return None
        done = float(row.progress.get("done", 0))
        tries = 1 if done > row.furthest or row.attempt == 0 else row.tries + 1
        if row.cancel_asked_at is not None:
            values: dict[str, Any] = {"status": "cancelled", "ended_at": moment}
        elif tries > TRIES:
            said = f"Its worker died {TRIES} times without getting further."
            error = {"code": 1, "message": said, "hint": "See logs/worker.log and logs/jobs.log."}
            values = {"status": "failed", "error": error, "ended_at": moment}
        else:
            values = {
                "status": "running", "attempt": row.attempt + 1, "tries": tries, "furthest": max(done, row.furthest),
                "worker": me, "lease_until": moment + timedelta(seconds=lease), "started_at": row.started_at or moment,
            }  # fmt: skip
        won = update(Job).where(Job.id == row.id, Job.attempt == row.attempt, Job.status == row.status)
        if rows_changed(session, won.values(**values)) != 1 or values["status"] != "running":
            return None
        session.refresh(row)
        session.expunge(row)
        return row


def run_worker(
    workspace: Workspace,
    *,
    lanes: tuple[str, ...] = LANES,
    only_job: str | None = None,
    poll: float = 0.3,
    lease: float = LEASE,
    stop: threading.Event | None = None,
) -> int:
    """Work jobs off until `stop` is set, or until `only_job` has ended; returns how many were run.

    A database that is busy for a while, or a full disk, is waited out; what does not pass is raised.
    """
    me = worker_name(os.getpid()) + new_id()[-6:]
    stop = stop or threading.Event()
    shift = Shift(workspace, lease, stop, lambda: _be_seen(workspace, me, lanes, only_job))
    worked, trouble = 0, 0
    seen = 0.0
    workspace.store.sweep()
    try:
        while not stop.is_set():
            if time.monotonic() - seen > 5:
                shift.be_seen()
                seen = time.monotonic()
            try:
                taken = claim(workspace, me, lanes, only_job, lease)
                if taken is not None:
                    worked += 1
                    shift.run(taken)
                elif only_job and _has_ended(workspace, only_job):
                    break
                else:
                    stop.wait(poll)
                trouble = 0
            except (Busy, NoSpace) as problem:
                trouble += 1
                log.warning("trouble %s of %s: %s", trouble, TROUBLES, problem.message)
                if trouble >= TROUBLES:
                    raise
                stop.wait(poll * 2**trouble)
    finally:
        with contextlib.suppress(SfumatoError), workspace.db.write() as session:
            session.execute(delete(Worker).where(Worker.id == me))
    return worked


@dataclass(frozen=True)
class Shift:
    """What a worker does with each job that it has taken."""

    workspace: Workspace
    lease: float
    stop: threading.Event
    be_seen: Callable[[], None]

    def run(self, taken: Job) -> None:
        """Run one attempt here, or in a process of its own where the kind of job asks for that."""
        log.info("took %s %s, attempt %s", taken.kind, taken.id, taken.attempt)
        own_process = False
        with contextlib.suppress(Exception):  # the attempt itself tells what is wrong with its kind
            own_process = find_kind(taken.kind).own_process
        if own_process:
            self._run_in_child(taken)
            return
        run_attempt(
            as_asked(self.workspace, taken), taken.id, taken.attempt,
            lease=self.lease, stop=self.stop, on_beat=self.be_seen,
        )  # fmt: skip

    def _run_in_child(self, taken: Job) -> None:
        """Run one attempt in a python whose environment is set before its libraries start.

        Told to stop, it stops the child after its step; a child whose worker is gone stops by itself.
        """
        command = [
            sys.executable, "-m", "sfumato.jobs.child", "--workspace", str(self.workspace.path), "--job", taken.id,
            "--attempt", str(taken.attempt), "--lease", str(self.lease), "--parent", str(os.getpid()),
        ]  # fmt: skip
        child = subprocess.Popen(command, stdin=subprocess.DEVNULL, env=child_environment(self.workspace))
        try:
            until = self._watch(child)
            if until is not None:
                log.warning("%s did not stop within %s s, so it is ended", taken.id, GRACE)
        finally:
            if child.poll() is None:
                child.kill()
                child.wait()
        if child.returncode != 0:
            with self.workspace.db.write() as session:  # let the next attempt begin at once
                mark(
                    session, taken.id, taken.attempt,
                    lease_until=database_now(session) - timedelta(seconds=1),
                )  # fmt: skip

    def _watch(self, child: subprocess.Popen[bytes]) -> float | None:
        """Wait until a child ends, and return None; or until it was told to stop and its time has run out."""
        seen, until = 0.0, None
        while child.poll() is None:
            if time.monotonic() - seen > 5:
                self.be_seen()
                seen = time.monotonic()
            if self.stop.is_set() and until is None:
                until = time.monotonic() + GRACE
                child.terminate()
            if until is not None and time.monotonic() > until:
                return until
            with contextlib.suppress(subprocess.TimeoutExpired):
                child.wait(timeout=0.2)
        return None


def child_environment(workspace: Workspace) -> dict[str, str]:
    """Passive waiting between parallel parts, and an allocator that keeps its pages (see docs/LOG.md)."""
    return TUNED | handed_on(workspace)


def _has_ended(workspace: Workspace, job_id: str) -> bool:
    with workspace.db.read() as session:
        status = session.scalar(select(Job.status).where(Job.id == job_id))
    return status in (None, "done", "failed", "cancelled")


def _be_seen(workspace: Workspace, me: str, lanes: tuple[str, ...], only_job: str | None) -> None:
    with contextlib.suppress(SfumatoError), workspace.db.write() as session:
        moment = database_now(session)
        row = session.get(Worker, me)
        if row is None:
            session.execute(delete(Worker).where(Worker.seen_at < moment - timedelta(minutes=10)))
            session.add(Worker(id=me, lanes=list(lanes), only_job=only_job, seen_at=moment))
        else:
            row.seen_at = moment


def main() -> None:
    """Run a worker from the command line; SIGTERM and Ctrl-C let the present step finish."""
    parser = argparse.ArgumentParser(prog="sfumato worker")
    parser.add_argument("--workspace", type=Path)
    parser.add_argument("--job")
    parser.add_argument("--lane", choices=LANES, action="append")
    parser.add_argument("--lease", type=float, default=LEASE)
    parser.add_argument("--nice", type=int, default=0, help="how much it gives way to other processes")
    parser.add_argument("--parent", type=int, help="the process that it ends with")
    given = parser.parse_args()
    os.nice(given.nice)
    logs.to_stderr()
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    if given.parent is not None:
        threading.Thread(target=watch, args=(given.parent, stop), daemon=True).start()
    with Workspace.open(given.workspace, create=False) as workspace:
        run_worker(workspace, lanes=tuple(given.lane or LANES), only_job=given.job, lease=given.lease, stop=stop)


if __name__ == "__main__":
    main()
