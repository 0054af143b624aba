"""Asking for work, looking at it, stopping it, and waiting for it."""

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, select, text, update
from sqlalchemy.orm import Session

from sfumato.actions import Act, Workspace, action, query
from sfumato.db import find_or_add, now, rows_changed
from sfumato.errors import Cancelled, Forbidden, InvalidInput, NotFound, SfumatoError, of_code
from sfumato.jobs.records import Job, Worker
from sfumato.store.disk import require_room

ALIVE = timedelta(seconds=20)
STARTS = 3  # workers that die before they take the job, until waiting for it gives up
FREEING = ("care.",)  # kinds of work that may begin on a full disk, since they look or make room
ENDED = ("done", "failed", "cancelled")


@dataclass(frozen=True)
class JobView:
    """A job as everybody may see it; an `orphaned` one runs on paper only: its worker ended and none has it yet."""

    id: str
    kind: str
    status: str
    lane: str
    attempt: int
    asked_by: str
    asked_at: datetime
    progress: dict[str, Any] = field(default_factory=dict)
    result: dict[str, Any] | None = None
    error: dict[str, Any] | None = None
    stopping: bool = False
    started_at: datetime | None = None
    ended_at: datetime | None = None
    orphaned: bool = False

    @property
    def ended(self) -> bool:
        """Whether nothing more will happen to it."""
        return self.status in ENDED


def database_now(session: Session) -> datetime:
    """The database's own time, the only clock by which leases are judged."""
    if session.get_bind().dialect.name == "postgresql":
        return session.execute(text("select clock_timestamp()")).scalar_one()
    return now()


def enqueue(
    act: Act, *, kind: str, spec: dict[str, Any], key: str, lane: str = "desk", private: bool = False
) -> JobView:
    """Ask for work within an action; the same `key` among the project's waiting and running jobs gives the same job.

    One that waits goes over to the lane in which it is asked for again. A `private` one is shown only to whoever
    asks. Raises NoSpace, before anything is begun, where too little room is left.
    """
    if not kind.startswith(FREEING):
        require_room(act.workspace.path, act.workspace.settings.free_mb)
    try:
        json.dumps(spec, allow_nan=False)
    except ValueError as problem:
        raise InvalidInput("A number that was said is none, or has no end.", hint="Say a plain number.") from problem
    same = select(Job).where(Job.key == key, Job.status.in_(("waiting", "running")))
    fresh = Job(
        made_by=act.actor.id, roles=list(act.actor.roles), kind=kind, spec=spec, key=key, lane=lane,
        private_to=act.actor.id if private else "",
    )  # fmt: skip
    row, _ = find_or_add(act.session, same, fresh)
    if row.status == "waiting":
        row.lane = lane
    return view(row)


def view(row: Job) -> JobView:
    """Copy a row into what may leave its session; that nobody holds it any more is told by this machine's clock."""
    orphaned = row.status == "running" and row.lease_until is not None and row.lease_until < now()
    return JobView(
        row.id, row.kind, row.status, row.lane, row.attempt, row.made_by, row.made_at,
        row.progress or {}, row.result, row.error, row.cancel_asked_at is not None,
        row.started_at, row.ended_at, orphaned,
    )  # fmt: skip


def find_job(session: Session, job_id: str) -> Job:
    """Find a job by its id or the unique beginning or end of it; raises NotFound."""
    whole = session.get(Job, job_id)
    if whole is not None:
        return whole
    close = Job.id.startswith(job_id, autoescape=True) | Job.id.endswith(job_id, autoescape=True)
    rows = session.scalars(select(Job).where(close).limit(2)).all()
    if len(rows) != 1 or not job_id:
        raise NotFound(f"There is no single job '{job_id}'.", hint="'sfumato jobs list' shows them.")
    return rows[0]


@query("job.get", needs="job.read")
def get_job(act: Act, *, job_id: str) -> JobView:
    """Look at one job, named by its id or the end of it."""
    return view(find_job(act.session, job_id))


@query("job.list", needs="job.read")
def list_jobs(
    act: Act, *, after: str | None = None, limit: int = 50, status: str = "", kind: str = "", made_by: str = ""
) -> list[JobView]:
    """The newest jobs first: in one state, of one kind, of one person; `after` is the id of the last one seen."""
    found = select(Job).order_by(Job.id.desc()).limit(limit)
    if after:
        found = found.where(Job.id < after)
    for column, said in ((Job.status, status), (Job.kind, kind), (Job.made_by, made_by)):
        if said:
            found = found.where(column == said)
    return [view(row) for row in act.session.scalars(found)]


@action("job.cancel", needs="job.cancel")
def cancel_job(act: Act, *, job_id: str) -> JobView:
    """Stop a job: at once if it waits, at its next step if it runs; what it made so far is kept."""
    row = find_job(act.session, job_id)
    if row.made_by != act.actor.id and "admin" not in act.actor.roles:
        raise Forbidden("This job was asked for by somebody else.", hint="Ask them, or an admin, to stop it.")
    act.session.refresh(row, with_for_update=True)  # no worker takes it meanwhile
    moment = database_now(act.session)
    dead = row.status == "running" and row.lease_until is not None and row.lease_until < moment
    if row.status == "waiting" or dead:
        row.status, row.ended_at = "cancelled", moment
    elif row.status == "running" and row.cancel_asked_at is None:
        row.cancel_asked_at = moment
    else:
        return view(row)
    act.says(f"stopped {row.kind}", subject=row.ref)
    return view(row)


def somebody_works(workspace: Workspace, job: JobView) -> bool:
    """Whether a live worker serves the job's lane, or this very job.

    One that is busy with a job of another lane does not count: a drawing need not wait for a training to end.
    """
    with workspace.db.read() as session:
        since = database_now(session) - ALIVE
        rows = session.execute(select(Worker.id, Worker.lanes, Worker.only_job).where(Worker.seen_at > since)).all()
        elsewhere = set(session.scalars(select(Job.worker).where(Job.status == "running", Job.lane != job.lane)))
    return any(
        only == job.id or (only is None and job.lane in lanes and me not in elsewhere) for me, lanes, only in rows
    )


def lane_is_served(workspace: Workspace, lane: str) -> bool:
    """Whether any worker lives that takes jobs of a lane, now or when it has done the one that it works on."""
    with workspace.db.read() as session:
        since = database_now(session) - ALIVE
        rows = session.execute(select(Worker.lanes, Worker.only_job).where(Worker.seen_at > since)).all()
    return any(only is None and lane in lanes for lanes, only in rows)


def handed_on(workspace: Workspace) -> dict[str, str]:
    """The environment in which another process opens the same workspace; no password is seen in a command."""
    handed = os.environ | workspace.settings.as_environment() | {"SFUMATO_WORKSPACE": str(workspace.path)}
    handed.pop("SFUMATO_DATABASE_URL", None)
    if not workspace.db.is_sqlite:
        handed["SFUMATO_DATABASE_URL"] = workspace.db.url
    return handed | {"PYTHONUNBUFFERED": "1"}


def start_worker(workspace: Workspace, job_id: str) -> subprocess.Popen[bytes]:
    """Start a worker of its own for one job; it goes on when the caller ends."""
    command = [sys.executable, "-m", "sfumato.jobs.worker", "--workspace", str(workspace.path), "--job", job_id]
    with (workspace.path / "logs" / "worker.log").open("ab") as log:
        return subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True, env=handed_on(workspace)
        )


def worker_name(process: int) -> str:
    """How the workers of a process on this machine begin their names."""
    return f"{socket.gethostname()}/{process}/"


def bury(workspace: Workspace, process: int) -> None:
    """Forget the worker of a process that is known to be dead, so that its job may be taken over at once."""
    name = worker_name(process)
    with workspace.db.write() as session:
        session.execute(delete(Worker).where(Worker.id.startswith(name, autoescape=True)))
        held = update(Job).where(Job.status == "running", Job.worker.startswith(name, autoescape=True))
        session.execute(held.values(lease_until=database_now(session) - timedelta(seconds=1)))


def wait_for_job(
    workspace: Workspace,
    job_id: str,
    *,
    on_progress: Callable[[JobView], None] | None = None,
    poll: float = 0.1,
) -> JobView:
    """Wait until a job has ended, starting a worker for it alone whenever none serves it.

    Raises SfumatoError when workers die before they have even taken the job.
    """
    started: subprocess.Popen[bytes] | None = None
    in_vain, attempt = 0, -1
    while True:
        current = get_job(workspace, job_id=job_id)
        if on_progress:
            on_progress(current)
        if current.ended:
            return current
        if started is not None and started.poll() is not None:
            bury(workspace, started.pid)
            in_vain = in_vain + 1 if current.attempt == attempt else 0
            if in_vain >= STARTS:
                raise SfumatoError(
                    f"No worker starts: the last one ended with code {started.returncode}.",
                    hint=f"{workspace.path / 'logs' / 'worker.log'} says why.",
                )
            started = None
        if started is None and not somebody_works(workspace, current):
            started, attempt = start_worker(workspace, current.id), current.attempt
        time.sleep(poll)


def ended_well(job: JobView) -> JobView:
    """The job, if it is done; raises the error that it ended with, of its own kind, or Cancelled."""
    if job.status == "done":
        return job
    if job.status == "cancelled":
        raise Cancelled("It was stopped.", hint="What it made so far is kept.")
    told = job.error or {"code": 1, "message": "It failed without saying why.", "hint": "See logs/worker.log."}
    raise of_code(told["code"])(told["message"], hint=told["hint"])


def mark(session: Session, job_id: str, attempt: int, **values: Any) -> bool:
    """Change a job's row if this attempt still holds it; tells whether it did."""
    ours = update(Job).where(Job.id == job_id, Job.attempt == attempt, Job.status == "running")
    told = ours.values(**values).execution_options(synchronize_session=False)  # whoever marks holds no such row
    return rows_changed(session, told) == 1
