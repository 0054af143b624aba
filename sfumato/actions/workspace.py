"""A workspace: one folder (or one PostgreSQL and one folder of files) that holds everything a team makes."""

import getpass
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

from sqlalchemy import inspect, text
from sqlalchemy.orm import Session

from sfumato.db import DEFAULT_PROJECT, Database, open_database
from sfumato.db.engine import damaged, in_words
from sfumato.db.schema import migrate, newest, revision_of
from sfumato.errors import Conflict, InvalidInput, NotFound, Unsupported
from sfumato.settings import Settings, read_settings
from sfumato.store import Store
from sfumato.store.disk import share_of

if TYPE_CHECKING:
    from sfumato.actions.once import Once

FORMAT = 1
FOLDERS = ("cache", "copies", "keys", "logs", "runs", "tmp")


@dataclass(frozen=True)
class Actor:
    """Who acts: a person, a token or a rule, with the roles they hold.

    `project` is the one in which they hold them, None where they hold them in every project; `scopes` are the
    permissions that a token is limited to, None for no limit.
    """

    id: str
    name: str
    roles: tuple[str, ...]
    project: str | None = None
    scopes: frozenset[str] | None = None


def local_person() -> Actor:
    """The person at this machine, who holds every permission in a workspace without accounts."""
    try:
        name = getpass.getuser()
    except (KeyError, OSError):
        name = "somebody"
    return Actor(f"person/{name}", name, ("admin",))


@dataclass(frozen=True)
class Workspace:
    """An open workspace, as one actor sees it in one project."""

    path: Path
    db: Database
    store: Store
    settings: Settings
    actor: Actor
    project: str = DEFAULT_PROJECT
    once: "Once | None" = None

    @classmethod
    def open(
        cls,
        path: str | Path | None = None,
        *,
        database_url: str | None = None,
        create: bool = True,
        settings: Settings | None = None,
    ) -> "Workspace":
        """Open the workspace at `path`, making or upgrading it if need be.

        Raises NotFound (nothing there and `create` is false), InvalidInput (a file is in the way),
        Unsupported (it was written by a newer Sfumato), Conflict (it belongs to something else),
        Damaged (the database is none any more), Busy or NoSpace. None of them changes what is there.
        """
        settings = settings or read_settings()
        folder = Path(path or settings.workspace).expanduser().absolute()
        url = database_url or settings.database_url
        if folder.exists() and not folder.is_dir():
            raise InvalidInput(f"{folder} is a file, not a workspace folder.", hint="Name a folder.")
        if not create and not (folder / "workspace.db").exists() and url is None:
            raise NotFound(f"There is no workspace in {folder}.", hint="Check the folder's name.")
        if url is None or url.startswith("sqlite"):
            _refuse_share(folder)
        _make(folder)
        db = open_database(url or folder / "workspace.db", busy_milliseconds=settings.busy_milliseconds)
        try:
            _settle_schema(folder, db)
            for name in FOLDERS:
                _make(folder / name, mode=0o700 if name == "keys" else 0o777)
            with in_words():
                store = Store(folder / "store")
        except BaseException:
            db.close()
            raise
        return cls(folder, db, store, settings, local_person())

    def as_actor(self, actor: Actor) -> "Workspace":
        """The same workspace, seen and used by another actor."""
        return replace(self, actor=actor)

    def in_project(self, project: str) -> "Workspace":
        """The same workspace, seen and used in the project with this id."""
        return replace(self, project=project)

    def doing_once(self, once: "Once") -> "Workspace":
        """The same workspace, the next action of which is done at most once, however often it is asked for."""
        return replace(self, once=once)

    @contextmanager
    def read(self) -> Iterator[Session]:
        """A session that sees one consistent state of the project, without what is private to others."""
        with self.db.read(project=self.project, person=self.actor.id) as session:
            yield session

    @contextmanager
    def write(self) -> Iterator[Session]:
        """A session that changes the project alone: whole, or not at all if anything is raised."""
        with self.db.write(project=self.project, person=self.actor.id) as session:
            yield session

    def close(self) -> None:
        """Give all connections back."""
        self.db.close()

    def __enter__(self) -> "Workspace":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trail: TracebackType | None
    ) -> None:
        self.close()


def _refuse_share(folder: Path) -> None:
    """Refuse SQLite on a folder of another machine: its locks do not hold there, and the database would break."""
    kind = share_of(folder)
    if kind:
        raise Unsupported(
            f"{folder} lies on a network share ({kind}), where SQLite's locks do not hold. Nothing was changed.",
            hint="Name a folder on a disk of this machine, or use PostgreSQL: SFUMATO_DATABASE_URL.",
        )


def _make(folder: Path, *, mode: int = 0o777) -> None:
    """Make a folder if need be; raises InvalidInput where none can be."""
    with in_words():
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=mode)
        except (FileExistsError, NotADirectoryError, FileNotFoundError) as problem:
            raise InvalidInput(f"{folder} cannot be a folder: {problem.strerror}.", hint="Name another.") from problem


def _settle_schema(folder: Path, db: Database) -> None:
    """Check format and revision with one look, and migrate only when there is need."""
    if db.file is not None and db.file.exists() and db.file.stat().st_size == 0 and any((folder / "store").glob("??")):
        raise damaged()  # an empty file would be taken for a new workspace, and its pictures for nobody's
    with db.read() as session:
        connection = session.connection()
        tables = inspect(connection).get_table_names()
        found: dict[str, str] = {}
        if "workspace_info" in tables:
            found = {row.key: row.value for row in session.execute(text("select key, value from workspace_info"))}
        revision = revision_of(connection)
    written = found.get("format", str(FORMAT))
    if not written.isdecimal():
        raise damaged()
    if int(written) > FORMAT or (revision is not None and revision > newest() and found):
        raise Unsupported(
            f"This workspace has format {written}, revision {revision}; this Sfumato reads format {FORMAT} "
            f"up to revision {newest()}. Nothing was changed.",
            hint="Install the newer Sfumato that made it, or name another folder.",
        )
    if tables and "workspace_info" not in tables:
        raise Conflict(
            "This database belongs to something else. Nothing was changed.", hint="Name another folder or database."
        )
    if revision != newest():
        migrate(db, folder / "copies", {"format": str(FORMAT), "events": "0"})
