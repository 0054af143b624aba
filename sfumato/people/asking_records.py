"""Tables of what people ask and tell each other, and of how far each has read."""

from datetime import date, datetime

from sqlalchemy import JSON, BigInteger, Boolean, Date, Index, Integer, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from sfumato.db import UTC, Base, Described, InProject, MaybePrivate, Record
from sfumato.people.wording import shortened


class Ask(InProject, Record):
    """A thing: somebody wants something of a person or of whoever holds a role; `version` rises with each change."""

    __tablename__ = "ask"
    KIND = "ask"

    to: Mapped[str] = mapped_column(String(200), index=True)  # person/… or role/…
    question: Mapped[str] = mapped_column(Text)
    refs: Mapped[list] = mapped_column(JSON, default=list)
    due: Mapped[date | None] = mapped_column(Date)
    status: Mapped[str] = mapped_column(String(10), default="open", index=True)
    version: Mapped[int] = mapped_column(Integer, default=1)
    closed_at: Mapped[datetime | None] = mapped_column(UTC)

    def describe(self) -> Described:
        """What was asked, and how it stands."""
        facts = {"status": self.status, "due": self.due.isoformat() if self.due else ""}
        return Described(f"asked: {shortened(self.question)}", facts)


class Pin(Base):
    """A record to which an ask is pinned."""

    __tablename__ = "pin"
    __table_args__ = (Index("ix_pin_ref", "ref"),)

    ask_id: Mapped[str] = mapped_column(String(36), primary_key=True)
    ref: Mapped[str] = mapped_column(String(120), primary_key=True)


class Reply(InProject, Record):
    """A fact: what came of an ask. It was answered with evidence, declined with a reason, or withdrawn."""

    __tablename__ = "reply"
    KIND = "reply"

    ask_id: Mapped[str] = mapped_column(String(36), index=True)
    kind: Mapped[str] = mapped_column(String(10))
    words: Mapped[str] = mapped_column(Text, default="")
    evidence: Mapped[str] = mapped_column(String(120), default="")

    def describe(self) -> Described:
        """What was said, and what it rests on."""
        return Described(f"{self.kind}: {shortened(self.words)}", {"evidence": self.evidence})


class Comment(InProject, MaybePrivate, Record):
    """A fact: words on a record. A later one of the same thread replaces it; one that is withdrawn says nothing."""

    __tablename__ = "comment"
    __table_args__ = (UniqueConstraint("supersedes"),)
    KIND = "comment"

    about: Mapped[str] = mapped_column(String(120), index=True)
    text: Mapped[str] = mapped_column(Text, default="")
    first: Mapped[str] = mapped_column(String(36), index=True)  # the id of the thread's first row
    supersedes: Mapped[str | None] = mapped_column(String(36))
    withdrawn: Mapped[bool] = mapped_column(Boolean, default=False)

    def describe(self) -> Described:
        """What was said on what."""
        return Described("a comment taken back" if self.withdrawn else shortened(self.text), {"about": self.about})


class Seen(InProject, Record):
    """How far a person has read the events of a project that concern them."""

    __tablename__ = "seen"
    __table_args__ = (UniqueConstraint("project_id", "person"),)

    person: Mapped[str] = mapped_column(String(200))
    position: Mapped[int] = mapped_column(BigInteger, default=0)
