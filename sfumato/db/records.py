"""The base of every record: its own time-ordered id, when it was made and by whom."""

import os
import time
import uuid
from dataclasses import dataclass, field
from datetime import UTC as UTC_ZONE
from datetime import datetime
from typing import Any, ClassVar

from sqlalchemy import DateTime, Index, MetaData, String
from sqlalchemy.engine import Dialect
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.types import TypeDecorator

NAMES = {
    "ix": "ix_%(column_0_label)s",
    "uq": "uq_%(table_name)s_%(column_0_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s",
    "pk": "pk_%(table_name)s",
}


def now() -> datetime:
    """The present moment in UTC."""
    return datetime.now(UTC_ZONE)


def new_id() -> str:
    """A fresh UUID of version 7 (RFC 9562, section 5.7): sorted by time of making.

    Within a millisecond too: twelve bits tell which 4096th of it (section 6.2, method 3), the other 62 are random.
    """
    milliseconds, rest = divmod(time.time_ns(), 1_000_000)
    random = int.from_bytes(os.urandom(8), "big") >> 2
    part = rest * 4_096 // 1_000_000
    return str(uuid.UUID(int=milliseconds << 80 | 0x7 << 76 | part << 64 | 0x2 << 62 | random))


class UTC(TypeDecorator[datetime]):
    """A moment, always aware and in UTC, also where the database forgets the zone."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Refuse naive moments, store the rest in UTC."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a moment without a zone cannot be stored")
        return value.astimezone(UTC_ZONE)

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        """Give back an aware moment."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC_ZONE) if value.tzinfo is None else value.astimezone(UTC_ZONE)


class Base(DeclarativeBase):
    """All tables of a workspace."""

    metadata = MetaData(naming_convention=NAMES)


def present_project(context: Any) -> str | None:
    """The project of the session that inserts a row; None, which the column refuses, where it has none."""
    found: str | None = context.execution_options.get("project")
    return found


class InProject:
    """What belongs to one project: the sessions of another neither see nor change it (`sfumato.db.scope`)."""

    project_id: Mapped[str] = mapped_column(String(36), default=present_project)

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        table = getattr(cls, "__table__", None)
        if table is not None:  # a project's rows in the order of their making, page by page
            Index(f"ix_{table.name}_project", table.c.project_id, table.c.id)


class MaybePrivate:
    """What may be kept to one person: nobody else is shown it, by list, search or id."""

    private_to: Mapped[str] = mapped_column(String(200), default="")


@dataclass(frozen=True)
class Described:
    """A record in words: a title, facts by name, what it is put together from, and the picture that shows it.

    `parts` are those that have no records of their own; `picture` is a SHA-256 in the store, "" if there is none.
    """

    title: str
    facts: dict[str, Any] = field(default_factory=dict)
    parts: list["Described"] = field(default_factory=list)
    picture: str = ""


class Record(Base):
    """Anything the team makes: a thing, a version or a fact."""

    __abstract__ = True
    KIND: ClassVar[str] = ""

    id: Mapped[str] = mapped_column(String(36), primary_key=True, default=new_id)
    made_at: Mapped[datetime] = mapped_column(UTC, default=now)
    made_by: Mapped[str] = mapped_column(String(200), default="")

    @property
    def ref(self) -> str:
        """How links, events and people name this record: kind/id."""
        return f"{self.KIND}/{self.id}"

    def describe(self) -> Described:
        """This record in words, from its own columns alone; each room says it for its own kinds."""
        return Described(f"{self.KIND.replace('_', ' ')} {self.id[-6:]}")


class Version(Record):
    """A frozen record, named by the hash of its canonical content."""

    __abstract__ = True

    content_hash: Mapped[str] = mapped_column(String(64), index=True)
