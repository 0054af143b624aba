"""Engines and sessions on SQLite or PostgreSQL, with explicit transactions and errors in words.

The SQLite driver opens no transaction before a SELECT or a schema change, which loses updates and
leaves half a migration behind; so every transaction here begins in so many words.
"""

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

from sqlalchemy import CursorResult, Delete, Engine, Update, create_engine, event
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.orm import Session

from sfumato.errors import Busy, Damaged, NoSpace, SfumatoError, Unsupported

BUSY_MILLISECONDS = 15_000


class Database:
    """One workspace's database: `read()` and `write()` give a session within a transaction."""

    def __init__(self, url: str, *, busy_milliseconds: int = BUSY_MILLISECONDS) -> None:
        self.url = url
        self.is_sqlite = url.startswith("sqlite")
        self.engine = _engine(url, busy_milliseconds)

    @contextmanager
    def read(self) -> Iterator[Session]:
        """A session that sees one consistent state and changes nothing."""
        with in_words(), Session(self.engine) as session:
            if self.is_sqlite:
                session.connection(execution_options={"begin": "BEGIN"})
            yield session
            session.rollback()

    @contextmanager
    def write(self) -> Iterator[Session]:
        """A session that commits at the end, or changes nothing if anything is raised."""
        with in_words(), Session(self.engine, expire_on_commit=False) as session:
            session.connection()
            yield session
            session.commit()

    def close(self) -> None:
        """Give all connections back."""
        self.engine.dispose()


def rows_changed(session: Session, statement: Update | Delete) -> int:
    """Run a statement that changes rows, and tell how many it changed."""
    return cast("CursorResult[Any]", session.execute(statement)).rowcount


def open_database(where: str | Path, *, busy_milliseconds: int = BUSY_MILLISECONDS) -> Database:
    """Open the database at a file path (SQLite) or a URL; raises Unsupported without its driver."""
    url = str(where)
    if "://" not in url:
        url = f"sqlite:///{where}"
    return Database(url, busy_milliseconds=busy_milliseconds)


def _engine(url: str, busy_milliseconds: int) -> Engine:
    if not url.startswith("sqlite"):
        try:
            return create_engine(url.replace("postgresql://", "postgresql+psycopg://", 1), pool_pre_ping=True)
        except ImportError as missing:
            raise Unsupported(
                "PostgreSQL needs its driver, which is not installed.", hint="pip install 'sfumato[team]'"
            ) from missing
    engine = create_engine(url, connect_args={"timeout": busy_milliseconds / 1000, "check_same_thread": False})

    @event.listens_for(engine, "connect")
    def _settle(connection: Any, _record: Any) -> None:
        connection.isolation_level = None
        cursor = connection.cursor()
        for pragma in (
            f"busy_timeout={busy_milliseconds}", "journal_mode=WAL", "synchronous=NORMAL", "foreign_keys=ON",
        ):  # fmt: skip
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @event.listens_for(engine, "begin")
    def _begin(connection: Any) -> None:
        connection.exec_driver_sql(connection.get_execution_options().get("begin", "BEGIN IMMEDIATE"))

    return engine


@contextmanager
def in_words() -> Iterator[None]:
    """Turn the driver's errors into ours, each saying what to do; nothing is committed when one is raised."""
    try:
        yield
    except OSError as problem:
        if problem.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            raise no_space() from problem
        raise
    except DBAPIError as problem:
        raise _translated(problem) from problem


def no_space() -> NoSpace:
    """The error of a full disk."""
    return NoSpace("The disk is full; nothing was changed.", hint="Free some room and run the same command again.")


def _translated(problem: DBAPIError) -> Exception:
    text = str(problem.orig).lower()
    if "locked" in text or "busy" in text:
        return Busy(
            "The workspace's database is held by another process; nothing was changed.",
            hint="Wait for it to finish, or end it, and try again.",
        )
    if "malformed" in text or "not a database" in text or "disk i/o error" in text:
        return Damaged(
            "The workspace's database is damaged; nothing was changed.",
            hint="Keep the file, and put the newest copy from the workspace's folder 'copies' in its place.",
        )
    if "disk is full" in text or "no space" in text:
        return no_space()
    if isinstance(problem, OperationalError) and ("connection" in text or "connect" in text):
        return Busy("The database does not answer.", hint="Check that it runs and that the address is right.")
    if "unable to open database file" in text or "readonly" in text:
        return SfumatoError("The workspace's database cannot be written.", hint="Check the folder's permissions.")
    return problem
