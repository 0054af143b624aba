"""A worker: claims jobs by conditional updates, runs them, and renews its lease while it lives.

python -m sfumato.jobs.worker --workspace DIR [--job ID]
"""

import argparse
import contextlib
import logging
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from datetime import timedelta
from pathlib import Path

from sqlalchemy import delete, or_, select, update

from sfumato.actions import Actor, Workspace
from sfumato.db import new_id, rows_changed
from sfumato.errors import SfumatoError
from sfumato.jobs.contract import find_kind
from sfumato.jobs.queue import database_now
from sfumato.jobs.records import Job, Worker
from sfumato.jobs.run import LEASE, run_attempt

LANES = ("quick", "long")
TRIES = 5
log = logging.getLogger("sfumato.worker")


def claim(workspace: Workspace, me: str, lanes: tuple[str, ...], only_job: str | None, lease: float) -> Job | None:
    """Take one job that waits, or whose holder let its lease run out; None when there is none."""
    with workspace.db.write() as session:
        moment = database_now(session)
        free = or_(Job.status == "waiting", (Job.status == "running") & (Job.lease_until < moment))
        wanted = (Job.id == only_job) if only_job else Job.lane.in_(lanes)
        row = session.scalar(select(Job).where(free, wanted).order_by(Job.id).limit(1))
        if row is None:
            return None
        if row.cancel_asked_at is not None or row.attempt >= TRIES:
            gave_up = {
                "code": 1,
                "message": f"Its worker died {TRIES} times.",
                "hint": "See logs/worker.log.",
            }
            values = {"status": "cancelled"} if row.cancel_asked_at else {"status": "failed", "error": gave_up}
            session.execute(
                update(Job).where(Job.id == row.id, Job.attempt == row.attempt).values(ended_at=moment, **values)
            )
            return None
        won = (
            update(Job)
            .where(Job.id == row.id, Job.attempt == row.attempt, Job.status == row.status)
            .values(
                status="running",
                attempt=row.attempt + 1,
                worker=me,
                lease_until=moment + timedelta(seconds=lease),
                started_at=row.started_at or moment,
            )
        )
        if rows_changed(session, won) != 1:
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
    """Work jobs off until `stop` is set, or until `only_job` has ended; returns how many were run."""
    me = f"{socket.gethostname()}/{os.getpid()}/{new_id()[-6:]}"
    stop = stop or threading.Event()
    worked = 0
    seen = 0.0
    try:
        while not stop.is_set():
            if time.monotonic() - seen > 5:
                _be_seen(workspace, me, lanes, only_job)
                seen = time.monotonic()
            taken = claim(workspace, me, lanes, only_job, lease)
            if taken is not None:
                worked += 1
                _run(workspace, taken, lease, lambda: _be_seen(workspace, me, lanes, only_job))
            elif only_job and _has_ended(workspace, only_job):
                break
            else:
                stop.wait(poll)
    finally:
        with contextlib.suppress(SfumatoError), workspace.db.write() as session:
            session.execute(delete(Worker).where(Worker.id == me))
    return worked


def _run(workspace: Workspace, taken: Job, lease: float, be_seen: object) -> None:
    log.info("took %s %s, attempt %s", taken.kind, taken.id, taken.attempt)
    person = Actor(taken.made_by, taken.made_by.removeprefix("person/"), tuple(taken.roles))
    own_process = False
    with contextlib.suppress(SfumatoError):
        own_process = find_kind(taken.kind).own_process
    if own_process:
        _run_in_child(workspace, taken, lease, be_seen)
    else:
        run_attempt(workspace.as_actor(person), taken.id, taken.attempt, lease=lease, on_beat=be_seen)


def _run_in_child(workspace: Workspace, taken: Job, lease: float, be_seen: object) -> None:
    """Run one attempt in a python whose environment is set before its libraries start."""
    command = [
        sys.executable,
        "-m",
        "sfumato.jobs.child",
        "--workspace",
        str(workspace.path),
        "--job",
        taken.id,
        "--attempt",
        str(taken.attempt),
        "--lease",
        str(lease),
    ]
    environment = child_environment()
    if not workspace.db.is_sqlite:
        environment["SFUMATO_DATABASE_URL"] = workspace.db.url  # which --database may have named
    child = subprocess.Popen(command, stdin=subprocess.DEVNULL, env=environment)
    while child.poll() is None:
        if callable(be_seen):
            be_seen()
        with contextlib.suppress(subprocess.TimeoutExpired):
            child.wait(timeout=5)
    if child.returncode not in (0, None):
        with workspace.db.write() as session:  # let the next attempt begin at once
            session.execute(
                update(Job)
                .where(Job.id == taken.id, Job.attempt == taken.attempt, Job.status == "running")
                .values(lease_until=database_now(session) - timedelta(seconds=1))
            )


def child_environment() -> dict[str, str]:
    """Passive waiting between parallel parts, and an allocator that keeps its pages (see docs/LOG.md)."""
    tuned = {
        "OMP_WAIT_POLICY": "PASSIVE",
        "GOMP_SPINCOUNT": "0",
        "MALLOC_MMAP_THRESHOLD_": str(32 << 20),
        "MALLOC_MMAP_MAX_": "0",
        "MALLOC_TRIM_THRESHOLD_": str(16 << 30),
        "MALLOC_TOP_PAD_": str(256 << 20),
        "PYTHONUNBUFFERED": "1",
    }
    return tuned | dict(os.environ)


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
    given = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(levelname)s %(message)s")
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    with Workspace.open(given.workspace, create=False) as workspace:
        run_worker(workspace, lanes=tuple(given.lane or LANES), only_job=given.job, lease=given.lease, stop=stop)


if __name__ == "__main__":
    main()
