"""Bringing a database to the newest schema: under a lock, after a copy, whole or not at all."""

import shutil
import sqlite3
import time
from pathlib import Path

from sqlalchemy import text

from sfumato.db.engine import Database, in_words

STEPS = Path(__file__).parent.parent / "migrations"
LOCK = 7_316_427  # any fixed number: PostgreSQL's advisory lock of migrations


def newest() -> str:
    """The newest revision there is, told from the file names alone."""
    return max(path.name[:4] for path in (STEPS / "versions").glob("[0-9]*.py"))


def migrate(db: Database, copies: Path, facts: dict[str, str]) -> None:
    """Bring the schema to the newest revision and write the workspace's first `facts`.

    Everything happens in one transaction: after kill -9 the old schema is there, whole.
    A copy of a SQLite file that holds anything is put into `copies` before.
    """
    from alembic.config import Config
    from alembic.runtime.environment import EnvironmentContext
    from alembic.script import ScriptDirectory

    if db.is_sqlite:
        _copy(db, copies)
    config = Config()
    config.set_main_option("script_location", str(STEPS))
    script = ScriptDirectory.from_config(config)
    with in_words(), db.engine.begin() as connection:
        if not db.is_sqlite:
            connection.execute(text("select pg_advisory_xact_lock(:lock)"), {"lock": LOCK})
        environment = EnvironmentContext(
            config, script, fn=lambda revision, _context: script._upgrade_revs("head", revision)
        )
        environment.configure(connection=connection, transactional_ddl=False, render_as_batch=True)
        environment.run_migrations()
        for key, value in facts.items():
            connection.execute(
                text(
                    "insert into workspace_info (key, value) select :key, :value "
                    "where not exists (select 1 from workspace_info where key = :key)"
                ),
                {"key": key, "value": value},
            )


def _copy(db: Database, copies: Path) -> None:
    source = Path(db.url.removeprefix("sqlite:///"))
    if not source.exists() or source.stat().st_size == 0:
        return
    with sqlite3.connect(f"file:{source}?mode=ro", uri=True) as live:
        if not live.execute("select 1 from sqlite_master limit 1").fetchone():
            return
        copies.mkdir(parents=True, exist_ok=True)
        target = copies / f"workspace-{time.strftime('%Y%m%d-%H%M%S')}.db"
        with sqlite3.connect(target.with_suffix(".draft")) as copy:
            live.backup(copy)
        copy.close()
        shutil.move(target.with_suffix(".draft"), target)
    live.close()
