"""Engines and sessions on SQLite or PostgreSQL, with explicit transactions and errors in words.

The SQLite driver opens no transaction before a SELECT or a schema change, which loses updates and
leaves half a migration behind; so every transaction here begins in so many words.
"""

import errno
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar, cast

from sqlalchemy import URL, CursorResult, Delete, Engine, Select, Update, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, IntegrityError
from sqlalchemy.orm import Session

from sfumato.db.scope import ACROSS, ScopedSession
from sfumato.errors import Busy, Conflict, Damaged, InvalidInput, NoSpace, SfumatoError, Unsupported

BUSY_MILLISECONDS = 15_000
Row = TypeVar("Row")


class Database:
    """One workspace's database: `read()` and `write()` give a session within a transaction."""

    def __init__(self, address: URL, *, busy_milliseconds: int = BUSY_MILLISECONDS, **options: Any) -> None:
        self.url = address.render_as_string(hide_password=False)
        self.file = Path(address.database) if address.drivername == "sqlite" and address.database else None
        self.is_sqlite = address.drivername == "sqlite"
        self.engine = _sqlite(address, busy_milliseconds, **options) if self.is_sqlite else _postgresql(address)

    @contextmanager
    def read(self, *, project: str | None = None, person: str | None = None) -> Iterator[Session]:
        """A session that sees one consistent state and changes nothing; without a project it sees all of them."""
        seen = {"begin": "BEGIN"} if self.is_sqlite else {"isolation_level": "REPEATABLE READ"}
        with in_words(), ScopedSession(self.engine, info={"project": project, "person": person}) as session:
            session.connection(execution_options=seen)
            yield session

    @contextmanager
    def write(self, *, project: str | None = None, person: str | None = None) -> Iterator[Session]:
        """A session that commits at the end, or changes nothing if anything is raised.

        What it adds belongs to its project; without one it sees all projects and adds to none.
        """
        scope = {"project": project, "person": person}
        with in_words(), ScopedSession(self.engine, expire_on_commit=False, info=scope) as session:
            session.connection(execution_options={"project": project})
            yield session
            session.commit()

    def value(self, statement: str) -> Any:
        """The one value that a statement without parameters selects, None where it finds nothing."""
        with in_words(), self.engine.connect() as connection:
            return connection.execution_options(begin="BEGIN").exec_driver_sql(statement).scalar()

    def close(self) -> None:
        """Give all connections back."""
        self.engine.dispose()


def rows_changed(session: Session, statement: Update | Delete) -> int:
    """Run a statement that changes rows, and tell how many it changed."""
    return cast("CursorResult[Any]", session.execute(statement)).rowcount


def find_or_add(session: Session, statement: Select[Row], fresh: Row) -> tuple[Row, bool]:
    """The row that the statement finds, else `fresh`, added; and whether it was added.

    Of several transactions that add the same at once, the database's unique index lets one in; the
    others find what it wrote.
    """
    refused: IntegrityError | None = None
    while True:
        found = session.scalar(statement)
        if found is not None:
            return found, False
        if refused is not None:
            if session.scalar(statement, execution_options=ACROSS) is not None:
                raise Conflict("Another project has one of this name.", hint="Take another name.") from refused
            if session.get_bind().dialect.name == "sqlite":
                raise refused  # nobody else can have been writing, so it was no race
        try:
            with session.begin_nested():
                session.add(fresh)
            return fresh, True
        except IntegrityError as problem:
            refused = problem  # somebody else was first: here, or where this session may not look


def open_database(where: str | Path, *, busy_milliseconds: int = BUSY_MILLISECONDS) -> Database:
    """Open the database at a file path (SQLite) or a URL; raises InvalidInput, or Unsupported without its driver."""
    if isinstance(where, Path) or "://" not in where:
        address = URL.create("sqlite", database=str(where))
    else:
        try:
            address = make_url(where)
        except (ArgumentError, ValueError) as problem:
            raise InvalidInput("The database's address cannot be read.", hint=ADDRESS) from problem
    if address.drivername in ("postgres", "postgresql"):
        address = address.set(drivername="postgresql+psycopg")
    if address.drivername not in ("sqlite", "postgresql+psycopg"):
        raise InvalidInput(f"Sfumato has no use for a database of the kind '{address.drivername}'.", hint=ADDRESS)
    return Database(address, busy_milliseconds=busy_milliseconds)


ADDRESS = "It looks like postgresql://NAME:PASSWORD@HOST:5432/DATABASE."


def _postgresql(address: URL) -> Engine:
    try:
        return create_engine(address, pool_pre_ping=True, hide_parameters=True)
    except ImportError as missing:
        raise Unsupported(
            "PostgreSQL needs its driver, which is not installed.", hint="pip install 'sfumato[team]'"
        ) from missing


def _sqlite(address: URL, busy_milliseconds: int, **options: Any) -> Engine:
    waits = {"timeout": busy_milliseconds / 1000, "check_same_thread": False}
    engine = create_engine(address, connect_args=waits, **options)

    @event.listens_for(engine, "connect")
    def _settle(connection: Any, _record: Any) -> None:
        connection.isolation_level = None
        cursor = connection.cursor()
        for pragma in (f"busy_timeout={busy_milliseconds}", "synchronous=NORMAL", "foreign_keys=ON"):
            cursor.execute(f"PRAGMA {pragma}")
        if cursor.execute("select 1 from sqlite_master limit 1").fetchone() is None:
            cursor.execute("PRAGMA journal_mode=WAL")  # lasts; what others have made is left as it is
        cursor.close()

    @event.listens_for(engine, "begin")
    def _begin(connection: Any) -> None:
        if connection.get_execution_options().get("begin") == "BEGIN":
            driver = connection.connection.driver_connection
            if not driver.in_transaction:  # as it is where a glance has begun
                driver.execute("BEGIN")  # it cannot fail, and is said for each read
        else:
            connection.exec_driver_sql("BEGIN IMMEDIATE")

    return engine


@contextmanager
def in_words() -> Iterator[None]:
    """Turn the errors of drivers and files into ours, each saying what to do; nothing is committed by then."""
    try:
        yield
    except OSError as problem:
        if problem.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            raise no_space() from problem
        if problem.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
            raise _unwritable(problem.filename) from problem
        raise
    except OverflowError as problem:
        raise _unkeepable() from problem
    except sqlite3.Error as problem:
        raise _of_sqlite(problem) or problem from problem
    except DBAPIError as problem:
        ours = _of_sqlite(problem.orig) if isinstance(problem.orig, sqlite3.Error) else _of_postgresql(problem)
        raise ours or problem from problem


def no_space() -> NoSpace:
    """The error of a full disk."""
    return NoSpace("The disk is full; nothing was changed.", hint="Free some room, then do the same again.")


def _unkeepable() -> InvalidInput:
    """The error of a number or a text that no database keeps, such as one of more than 64 bits."""
    return InvalidInput("A number or a text is not of a kind that can be kept.", hint="Send a smaller or plainer one.")


def _unwritable(name: str | None = None) -> SfumatoError:
    what = name or "The workspace's database"
    return SfumatoError(f"{what} cannot be read or written.", hint="Check the permissions of the folder.")


def _of_sqlite(problem: sqlite3.Error) -> SfumatoError | None:
    """Our word for one of SQLite's result codes (sqlite.org/rescode.html), None where it has to be a bug of ours."""
    name = getattr(problem, "sqlite_errorname", "")
    if name.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
        return Busy(
            "The workspace's database is held by another process; nothing was changed.",
            hint="Wait for it to finish, or end it, and try again.",
        )
    if name == "SQLITE_INTERRUPT":
        return Busy("This took longer to find than there was time; nothing was changed.", hint="Try again.")
    if name.startswith(("SQLITE_CORRUPT", "SQLITE_NOTADB", "SQLITE_IOERR_SHORT_READ")):
        return damaged()
    # What the system refuses to write for another reason than a full disk: a quota, or a limit on files' sizes.
    if name.startswith(("SQLITE_FULL", "SQLITE_IOERR_WRITE", "SQLITE_IOERR_SHMSIZE", "SQLITE_IOERR_TRUNCATE")):
        return no_space()
    if name.startswith(("SQLITE_CANTOPEN", "SQLITE_READONLY", "SQLITE_PERM", "SQLITE_IOERR_ACCESS")):
        return _unwritable()
    if name.startswith("SQLITE_IOERR"):
        return SfumatoError(
            f"The disk failed while the workspace's database was used ({name}); nothing was changed.",
            hint="Look at the system's log, and copy the workspace to another disk before you go on.",
        )
    return None


def damaged() -> Damaged:
    """The error of a database that is none any more."""
    return Damaged(
        "The workspace's database is damaged; nothing was changed.",
        hint="Keep the file workspace.db, and put the newest copy from the workspace's folder 'copies' in its place.",
    )


def _of_postgresql(problem: DBAPIError) -> SfumatoError | None:
    """Our word for one of PostgreSQL's classes of errors (its manual's appendix A), None where it is a bug of ours."""
    state = getattr(problem.orig, "sqlstate", None) or ""
    lines = str(problem.orig).strip().splitlines() or ["it gives no reason"]
    if state == "53100":
        return no_space()
    if state in ("40001", "40P01", "55P03"):
        return Busy("Another process holds the same records; nothing was changed.", hint="Try again.")
    if state.startswith("22") or type(problem.orig).__name__ == "DataError":
        return _unkeepable()
    unreachable = not state and type(problem.orig).__name__ in ("OperationalError", "ConnectionTimeout")
    if unreachable or problem.connection_invalidated or state.startswith(("08", "28", "3D", "53", "57P")):
        return Busy(f"The database does not answer: {lines[0]}", hint="Check that it runs, and its address.")
    return None
