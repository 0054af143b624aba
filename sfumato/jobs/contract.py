"""What a room writes to have work done: a generator of progress, and what it is handed."""

import importlib
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from sfumato.actions import Actor, Workspace
from sfumato.db import rows_changed
from sfumato.errors import SfumatoError, unknown
from sfumato.jobs.records import Job

JOBS: dict[str, "JobKind"] = {}


class LeaseLost(SfumatoError):
    """Another attempt owns the job now, so this one may write nothing more."""

    code = 7


@dataclass(frozen=True)
class Progress:
    """How far a job is: `done` of `total` units, a sentence, and figures for those who look closer."""

    done: float = 0
    total: float = 0
    unit: str = ""
    say: str = ""
    extra: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class JobKind:
    """A registered kind of work."""

    name: str
    run: Callable[["JobContext", dict[str, Any]], Iterator[Progress]]
    own_process: bool
    needs: str


@dataclass
class JobContext:
    """What a running job may use; every write is fenced by the attempt that holds the job."""

    workspace: Workspace
    job_id: str
    attempt: int
    position: dict[str, Any] | None = None
    lane: str = "desk"

    @property
    def actor(self) -> Actor:
        """The person who asked for the work."""
        return self.workspace.actor

    @contextmanager
    def write(self) -> Iterator[Session]:
        """A write transaction that raises LeaseLost, and changes nothing, once another attempt owns the job."""
        with self.workspace.write() as session:
            self.hold(session)
            yield session

    def hold(self, session: Session) -> None:
        """Take the job's row within the session's transaction; raises LeaseLost if it is no longer ours."""
        ours = (
            update(Job)
            .where(Job.id == self.job_id, Job.attempt == self.attempt, Job.status == "running")
            .values(attempt=self.attempt)
            .execution_options(synchronize_session=False)  # it changes nothing that a session could hold
        )
        if rows_changed(session, ours) != 1:
            raise LeaseLost("This attempt no longer holds its job; it stops without writing.")

    def save(self, session: Session, position: dict[str, Any]) -> None:
        """Keep where a later attempt goes on, in the same transaction as the work itself."""
        session.execute(update(Job).where(Job.id == self.job_id, Job.attempt == self.attempt).values(position=position))
        self.position = position

    def check(self) -> None:
        """Raise LeaseLost once another attempt owns the job: to be asked before files are written that it owns."""
        if not self.is_ours():
            raise LeaseLost("This attempt no longer holds its job; it stops without writing.")

    def is_ours(self) -> bool:
        """Whether this attempt still holds the job."""
        return self._stands()[0]

    def cancelled(self) -> bool:
        """Whether somebody asked to stop, or the job is no longer ours."""
        ours, asked = self._stands()
        return asked or not ours

    def _stands(self) -> tuple[bool, bool]:
        """Whether the job is still this attempt's, and whether somebody asked to stop it."""
        with self.workspace.read() as session:
            asked_for = select(Job.attempt, Job.status, Job.cancel_asked_at).where(Job.id == self.job_id)
            row = session.execute(asked_for).one_or_none()
        return row is not None and tuple(row[:2]) == (self.attempt, "running"), row is not None and row[2] is not None


def job(
    name: str, *, own_process: bool = False, needs: str = "record.read"
) -> Callable[[Callable[[JobContext, dict[str, Any]], Iterator[Progress]]], Any]:
    """Register a generator function as the kind `name` of work; its return value is the job's result."""

    def wrap(function: Callable[[JobContext, dict[str, Any]], Iterator[Progress]]) -> Any:
        JOBS[name] = JobKind(name, function, own_process, needs)
        return function

    return wrap


def find_kind(name: str) -> JobKind:
    """Import the module that holds the kind `name`: sfumato.<room>.jobs, or one of SFUMATO_JOB_MODULES."""
    if name not in JOBS:
        extra = [module for module in os.environ.get("SFUMATO_JOB_MODULES", "").split(",") if module]
        for module in (*extra, f"sfumato.{name.split('.')[0]}.jobs"):
            try:
                importlib.import_module(module)
            except ModuleNotFoundError as missing:
                if missing.name is None or not module.startswith(missing.name):
                    raise
    if name not in JOBS:
        raise unknown("kind of job", name, JOBS)
    return JOBS[name]
