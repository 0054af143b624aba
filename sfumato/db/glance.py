"""Reads that wait for nobody: one connection to SQLite, for what is asked for so often that a thread would be dear.

Whoever uses it holds up everybody else in their process. So it gives up rather than wait for a lock or search for
long, and it changes nothing.
"""

import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import URL, event
from sqlalchemy.orm import Session
from sqlalchemy.pool import StaticPool

from sfumato.db.engine import Database, in_words
from sfumato.db.scope import ScopedSession

PATIENCE = 0.02  # seconds of the processor after which a search is given up
STEPS = 50_000  # of SQLite's machine, after which it looks at the clock


class Glance(Database):
    """A database as one thread sees it that must not be held up; raises Busy where others would wait."""

    def __init__(self, address: URL) -> None:
        super().__init__(address, busy_milliseconds=0, poolclass=StaticPool)
        self._kept: sqlite3.Connection | None = None
        self._until: float | None = None
        event.listen(self.engine, "connect", self._keep)
        self._session = ScopedSession(self.engine.execution_options(begin="BEGIN"))

    @contextmanager
    def read(self, *, project: str | None = None, person: str | None = None) -> Iterator[Session]:
        """A session that sees one consistent state and changes nothing, for a moment.

        `Prepared` statements ask the driver's connection directly; for others the session takes it up as ever. It
        is one and the same each time, since making one would be dear: a read within a read is refused by SQLite.
        """
        connection, session = self._connection(), self._session
        session.info.update({"project": project, "person": person, "driver": connection})
        with in_words():
            connection.execute("BEGIN")
            try:
                yield session
            finally:
                if session.in_transaction():  # which it is not where prepared statements alone were asked
                    session.close()
                if connection.in_transaction:
                    connection.rollback()

    def value(self, statement: str) -> Any:
        """The one value that a statement without parameters selects, None where it finds nothing."""
        with in_words():
            rows = self._connection().execute(statement).fetchall()
        return rows[0][0] if rows else None

    def _connection(self) -> sqlite3.Connection:
        """The one connection, from now on with fresh patience."""
        self._until = None
        if self._kept is None:
            with in_words():
                self.engine.connect().close()
        assert self._kept is not None
        return self._kept

    def _late(self) -> bool:
        """Whether patience is over; the clock, which is dear, is looked at only by what takes long."""
        moment = time.thread_time()
        if self._until is None:
            self._until = moment + PATIENCE
        return moment > self._until

    def _keep(self, connection: sqlite3.Connection, _record: Any) -> None:
        connection.execute("PRAGMA query_only=ON")
        connection.set_progress_handler(self._late, STEPS)
        self._kept = connection


def glance_at(db: Database) -> Glance | None:
    """The same database for a thread that must not be held up, None where each read is a way over the network."""
    return Glance(URL.create("sqlite", database=str(db.file))) if db.file is not None else None
