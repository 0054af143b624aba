"""Tables of the event log and of the workspace's own facts."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from sfumato.db import UTC, Base, Described, InProject, MaybePrivate, Record, now


class WorkspaceInfo(Base):
    """Facts of the workspace itself, such as its format number and the last event's position."""

    __tablename__ = "workspace_info"

    key: Mapped[str] = mapped_column(String(40), primary_key=True)
    value: Mapped[str] = mapped_column(Text)


class Answer(Base):
    """What was answered to a person who gave a key, so that the same key does a thing once (`sfumato.actions.once`)."""

    __tablename__ = "answer"

    person: Mapped[str] = mapped_column(String(200), primary_key=True)
    key: Mapped[str] = mapped_column(String(120), primary_key=True)
    asked: Mapped[str] = mapped_column(String(64))
    answer: Mapped[Any] = mapped_column(JSON, nullable=True)
    made_at: Mapped[datetime] = mapped_column(UTC, default=now, index=True)


def project_or_none(context: Any) -> str:
    """The project of the session that writes an event; "" for one of the workspace itself."""
    return context.execution_options.get("project") or ""


class Event(InProject, MaybePrivate, Record):
    """A fact: somebody did something to something. Positions have no gaps and rise with commits.

    What concerns the workspace itself belongs to no project, and is seen in none.
    """

    __tablename__ = "event"
    KIND = "event"

    project_id: Mapped[str] = mapped_column(String(36), default=project_or_none)
    position: Mapped[int] = mapped_column(BigInteger, unique=True)
    action: Mapped[str] = mapped_column(String(60), index=True)
    subject: Mapped[str] = mapped_column(String(120), default="", index=True)
    summary: Mapped[str] = mapped_column(Text, default="")
    details: Mapped[dict] = mapped_column(JSON, default=dict)

    def describe(self) -> Described:
        """Who did what to which record."""
        facts = {"by": self.made_by, "subject": self.subject, "position": self.position}
        return Described(self.summary or self.action, facts)


class Concern(Base):
    """An event concerns somebody (person/…) or all who hold a role (role/…): they are told of it until they read it."""

    __tablename__ = "concern"

    whom: Mapped[str] = mapped_column(String(200), primary_key=True)
    position: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
