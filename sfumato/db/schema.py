"""Bringing a database to the newest schema: under a lock, after a copy, whole or not at all."""

import os
import sqlite3
import time
from contextlib import closing
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, inspect, text

from sfumato.db.engine import Database, in_words

STEPS = Path(__file__).parent.parent / "migrations"
LOCK = 7_316_427  # any fixed number: PostgreSQL's advisory lock of migrations


def newest() -> str:
    """The newest revision there is, told from the file names alone."""
    return max(path.name[:4] for path in (STEPS / "versions").glob("[0-9]*.py"))


def revision_of(connection: Connection) -> str | None:
    """The revision that a database has, None where it has no tables of ours."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(text("select version_num from alembic_version")).scalar()


def migrate(db: Database, copies: Path, facts: dict[str, str], *, steps: Path = STEPS) -> None:
    """Bring the schema to the newest revision and set the workspace's `facts`, of which the format rises with it.

    Everything happens in one transaction: after kill -9 the old schema is there, whole. Of several
    processes one migrates and the others wait. A copy of a SQLite file that holds anything is put
    into `copies` before.
    """
    script = _script(steps)
    with in_words(), db.engine.begin() as connection:
        if not db.is_sqlite:
            connection.execute(text("select pg_advisory_xact_lock(:lock)"), {"lock": LOCK})
        found = revision_of(connection)
        if found == script.get_current_head():
            return  # somebody else was first
        if found is not None and db.file is not None:
            _copy(db.file, copies)
        upgrade(connection, steps=steps)
        for key, value in facts.items():
            there = connection.execute(text("select 1 from workspace_info where key = :key"), {"key": key}).scalar()
            if there is None:
                connection.execute(
                    text("insert into workspace_info (key, value) values (:key, :value)"), {"key": key, "value": value}
                )
            elif key == "format":
                connection.execute(
                    text("update workspace_info set value = :value where key = :key"), {"key": key, "value": value}
                )


def upgrade(connection: Connection, *, to: str = "head", steps: Path = STEPS) -> None:
    """Run the steps up to a revision within the connection's transaction."""
    from alembic.config import Config
    from alembic.runtime.environment import EnvironmentContext

    script = _script(steps)
    environment = EnvironmentContext(Config(), script, fn=lambda revision, _context: script._upgrade_revs(to, revision))
    environment.configure(connection=connection, transactional_ddl=False, render_as_batch=True)
    environment.run_migrations()


def _script(steps: Path) -> Any:
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    config = Config()
    config.set_main_option("script_location", str(steps).replace("%", "%%"))
    return ScriptDirectory.from_config(config)


def _copy(source: Path, copies: Path) -> None:
    """Copy a live database, whole or not at all; our own lock keeps others from writing meanwhile."""
    copies.mkdir(parents=True, exist_ok=True)
    target = copies / f"workspace-{time.strftime('%Y%m%d-%H%M%S')}.db"
    draft = target.with_suffix(f".{os.getpid()}.draft")
    try:
        reading = sqlite3.connect(f"{source.absolute().as_uri()}?mode=ro", uri=True)
        with closing(reading) as live, closing(sqlite3.connect(draft)) as copy:
            live.backup(copy)
        os.replace(draft, target)
    finally:
        draft.unlink(missing_ok=True)
