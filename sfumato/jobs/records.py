"""Tables of jobs and of the workers that work them off."""

from datetime import datetime

from sqlalchemy import JSON, Float, Index, Integer, String, text
from sqlalchemy.orm import Mapped, mapped_column

from sfumato.db import UTC, Base, Described, InProject, MaybePrivate, Record, now

OPEN = text("status in ('waiting', 'running')")


class Job(InProject, MaybePrivate, Record):
    """One piece of long work: what, for whom, how far, and who holds it until when.

    `attempt` rises with each claim and fences its writes; `tries` counts the attempts in a row that
    died without getting further than `furthest`.
    """

    __tablename__ = "job"
    __table_args__ = (
        Index("uq_job_open_key", "project_id", "key", unique=True, sqlite_where=OPEN, postgresql_where=OPEN),
        Index("ix_job_status_lane", "status", "lane"),
    )
    KIND = "job"

    kind: Mapped[str] = mapped_column(String(60))
    spec: Mapped[dict] = mapped_column(JSON)
    key: Mapped[str] = mapped_column(String(200))
    lane: Mapped[str] = mapped_column(String(10))
    status: Mapped[str] = mapped_column(String(10), default="waiting")
    attempt: Mapped[int] = mapped_column(Integer, default=0)
    tries: Mapped[int] = mapped_column(Integer, default=0, server_default="0")
    furthest: Mapped[float] = mapped_column(Float, default=0.0, server_default="0")
    worker: Mapped[str | None] = mapped_column(String(80))
    lease_until: Mapped[datetime | None] = mapped_column(UTC)
    progress: Mapped[dict] = mapped_column(JSON, default=dict)
    position: Mapped[dict | None] = mapped_column(JSON)
    result: Mapped[dict | None] = mapped_column(JSON)
    error: Mapped[dict | None] = mapped_column(JSON)
    roles: Mapped[list] = mapped_column(JSON, default=list)
    cancel_asked_at: Mapped[datetime | None] = mapped_column(UTC)
    started_at: Mapped[datetime | None] = mapped_column(UTC)
    ended_at: Mapped[datetime | None] = mapped_column(UTC)

    def describe(self) -> Described:
        """What it does and how it stands."""
        return Described(f"job {self.kind}", {"status": self.status, "attempt": self.attempt})


class Worker(Base):
    """A worker that lives, told from the moment it was last seen."""

    __tablename__ = "worker"

    id: Mapped[str] = mapped_column(String(80), primary_key=True)
    lanes: Mapped[list] = mapped_column(JSON)
    only_job: Mapped[str | None] = mapped_column(String(36))
    seen_at: Mapped[datetime] = mapped_column(UTC, default=now)
