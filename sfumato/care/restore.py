"""Making a workspace of a backup: in a fresh folder, every hash checked, there whole or not at all."""

import os
import shutil
import tempfile
from collections.abc import Generator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from zipfile import BadZipFile, ZipFile
from zlib import error as ZlibError

from sqlalchemy import Connection, inspect, text, update

from sfumato.actions import Act, Workspace, action
from sfumato.care.bundle import Manifest, opened, table_lines, unpack
from sfumato.care.doctor import examine
from sfumato.care.dump import clear_all, read_rows
from sfumato.care.findings import Report
from sfumato.care.naming import tables_of
from sfumato.db import Database, open_database
from sfumato.db.engine import in_words
from sfumato.db.schema import newest, upgrade
from sfumato.errors import Conflict, Damaged, InvalidInput, Unsupported
from sfumato.jobs import Progress
from sfumato.settings import Settings, read_settings
from sfumato.store.disk import require_room

NEEDS = "workspace.care"
UNFINISHED = "restoring"  # in the place of the format number until everything lies where it belongs


@dataclass(frozen=True)
class Restored:
    """A workspace that was made of a backup."""

    path: Path
    made_at: str
    rows: int
    files: int
    missing: int
    with_keys: bool
    report: Report


def restore(
    source: Path, folder: Path, *, database_url: str | None = None, settings: Settings | None = None
) -> Generator[Progress, None, Restored]:
    """Make a workspace of a backup in an empty or new folder, upgrade it, and have it examined.

    The records go where every command would look for them: into the database that is named here, else into the one
    of the settings, else into the folder.
    Raises Conflict for a folder or a database that holds something, Unsupported for a newer backup, Damaged or
    InvalidInput for one that is cut or changed, NoSpace before it begins. None of them leaves anything behind.
    """
    settings = settings or read_settings()
    database_url = database_url or settings.database_url
    source, folder = source.expanduser().absolute(), folder.expanduser().absolute()
    _check_empty(folder)
    with opened(source) as (bundle, manifest):
        _check_age(manifest, source)
        total = sum(entry.file_size for entry in bundle.infolist())
        require_room(folder.parent, settings.free_mb, wanted=total, what="The workspace")
        with in_words():
            folder.parent.mkdir(parents=True, exist_ok=True)
            draft = Path(tempfile.mkdtemp(prefix=f".restoring-{folder.name}-", dir=folder.parent))
        try:
            with in_words():
                yield from _fill(bundle, manifest, draft, total, database_url=database_url)
                draft.chmod(0o755)
                os.replace(draft, folder)  # an empty folder gives way, one that holds something by now does not
        except (BadZipFile, ZlibError, EOFError) as problem:
            raise Damaged(
                f"{source.name} is cut short or changed: {problem}.", hint="Take another backup."
            ) from problem
        finally:
            shutil.rmtree(draft, ignore_errors=True)
    if database_url:
        _finish(database_url, manifest.workspace_format)
    with Workspace.open(folder, database_url=database_url, settings=settings, create=False) as workspace:
        _write_down(workspace, source=source.name, made_at=manifest.made_at)
        report = yield from examine(workspace)
    return Restored(
        folder, manifest.made_at, sum(manifest.tables.values()), manifest.stored, len(manifest.missing),
        manifest.with_keys, report,
    )  # fmt: skip


def _check_empty(folder: Path) -> None:
    if folder.exists() and not folder.is_dir():
        raise InvalidInput(f"{folder} is a file.", hint="Name a new or an empty folder.")
    if folder.is_dir() and any(folder.iterdir()):
        raise Conflict(f"{folder} is not empty; nothing was changed.", hint="Name a new or an empty folder.")


def _check_age(manifest: Manifest, source: Path) -> None:
    if manifest.revision > newest():
        raise Unsupported(
            f"{source.name} was written by Sfumato {manifest.sfumato} with the schema {manifest.revision}; this one "
            f"knows up to {newest()}. Nothing was changed.",
            hint="Install the newer Sfumato, then restore.",
        )


def _fill(
    bundle: ZipFile, manifest: Manifest, draft: Path, total: int, *, database_url: str | None
) -> Generator[Progress, None, None]:
    size, done = max(round(total / 1e6, 1), 0.1), 0
    for step in unpack(bundle, manifest, draft):
        done += step
        yield Progress(min(round(done / 1e6, 1), size), size, "MB", "files, each hash checked")
    keys = draft / "keys"
    if keys.is_dir():
        for path in (keys, *keys.rglob("*")):
            path.chmod(0o700 if path.is_dir() else 0o600)
    with closing(open_database(database_url or draft / "workspace.db")) as database:
        yield from _load(bundle, manifest, database, size)


def _load(bundle: ZipFile, manifest: Manifest, database: Database, size: float) -> Generator[Progress, None, None]:
    """Make the tables of the backup's own revision and fill them, in one transaction."""
    with database.engine.begin() as connection:
        if inspect(connection).get_table_names():
            raise _taken(connection)
        upgrade(connection, to=manifest.revision)
        tables = tables_of(connection)
        if set(manifest.tables) - set(tables):
            raise Damaged("The backup holds tables that its revision does not know.")
        clear_all(connection, tables.values())
        for name, table in tables.items():
            if name in manifest.tables:
                count = read_rows(connection, table, table_lines(bundle, manifest, name))
                if count != manifest.tables[name]:
                    raise Damaged(f"The backup's table {name} has {count:,} rows, {manifest.tables[name]:,} are said.")
                yield Progress(size, size, "MB", f"records: {name}")
        jobs, facts = tables["job"], tables["workspace_info"]
        running = update(jobs).where(jobs.c.status == "running")  # their workers are elsewhere
        connection.execute(running.values(status="waiting", worker=None, lease_until=None))
        if not database.is_sqlite:
            connection.execute(update(facts).where(facts.c.key == "format").values(value=UNFINISHED))


def _taken(connection: Connection) -> Conflict:
    half = False
    if inspect(connection).has_table("workspace_info"):
        found = connection.execute(text("select value from workspace_info where key = 'format'")).scalar()
        half = found == UNFINISHED
    if half:
        return Conflict("The database holds a restoration that was cut short.", hint="Drop it, and make an empty one.")
    return Conflict("The database is not empty; nothing was changed.", hint="Name an empty one by --database.")


def _finish(database_url: str, workspace_format: str) -> None:
    """Give the database its format number back, now that its files lie where they belong."""
    with closing(open_database(database_url)) as database, database.engine.begin() as connection:
        connection.execute(
            text("update workspace_info set value = :value where key = 'format'"), {"value": workspace_format}
        )


@action("care.restored", needs=NEEDS, doors=("cli", "library"))
def _write_down(act: Act, *, source: str, made_at: str) -> None:
    """Write into the log that this workspace was made of a backup."""
    act.says(f"restored from {source}, made {made_at[:16]}", subject="workspace", outside=True)
