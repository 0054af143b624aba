"""Keeping a copy of a whole workspace in one file, while others go on working in it.

Run folders come first, then one consistent reading of the database, then the files that it names: those never
change, and a run whose state is older than its rows does its last step again.
"""

import hashlib
import time
import zipfile
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from sqlalchemy import text

import sfumato
from sfumato.actions import Act, Workspace, action, query
from sfumato.actions.registry import require
from sfumato.care.bundle import MANIFEST, Manifest, Writer, blocks_of
from sfumato.care.contents import drafts
from sfumato.care.dump import SKIPPED, write_rows
from sfumato.care.naming import mentioned, named_files, tables_of
from sfumato.db import now
from sfumato.db.engine import in_words
from sfumato.db.schema import revision_of
from sfumato.errors import Conflict, Damaged, InvalidInput, NotFound
from sfumato.jobs import JobView, Progress, enqueue
from sfumato.jobs.records import Job
from sfumato.store.disk import require_room
from sfumato.store.files import draft, finish

NEEDS = "workspace.care"
LEFT = {"store", "keys", "cache", "tmp", "logs", "copies", "backups"}  # done apart, or not worth keeping
WITH_KEYS = (
    "The backup holds the secret keys: whoever has the file can sign pictures as this studio. "
    "Keep it as you keep a password."
)
WITHOUT_KEYS = (
    "The backup holds no secret keys. A workspace restored from it makes a new key for its new pictures; "
    "those that were signed before still count as its own."
)


@dataclass(frozen=True)
class Backup:
    """A backup that was written."""

    path: Path
    bytes: int
    rows: int
    files: int
    missing: int
    with_keys: bool
    says: str


def back_up(workspace: Workspace, target: Path, *, with_keys: bool = False) -> Generator[Progress, None, Backup]:
    """Write a backup to a new file, or into a folder under a name of its own; it is there whole or not at all.

    Raises Conflict where the file exists, InvalidInput for a place that cannot be, and NoSpace before it begins.
    """
    require(workspace, NEEDS)
    target = placed(workspace, target)
    total = _size(workspace)
    require_room(target.parent, workspace.settings.free_mb, wanted=total, what="The backup")
    yield Progress(0, round(total / 1e6, 1), "MB", "beginning")
    with in_words(), draft(target.parent) as stream:
        manifest = yield from write_bundle(workspace, stream, total, with_keys=with_keys)
        if target.exists():
            raise Conflict(f"{target} was written by somebody else meanwhile.", hint="Name another file.")
        finish(stream, target, mode=0o600)
    made = Backup(
        target, target.stat().st_size, sum(manifest.tables.values()), manifest.stored + len(manifest.files),
        len(manifest.missing), with_keys, WITH_KEYS if with_keys else WITHOUT_KEYS,
    )  # fmt: skip
    _write_down(workspace, made=made)
    return made


def placed(workspace: Workspace, target: Path) -> Path:
    """Where a backup goes: the file that was named, or one with the moment in its name in a folder."""
    target = target.expanduser().absolute()
    if target.is_dir():
        target = target / f"sfumato-{time.strftime('%Y%m%d-%H%M%S')}.zip"
    if target.suffix != ".zip":
        raise InvalidInput(
            f"{target.name} is no name of a backup.", hint="Name a file that ends with .zip, or a folder."
        )
    if target.exists():
        raise Conflict(f"{target} is there already; nothing was written over.", hint="Name another file.")
    if target.is_relative_to(workspace.path) and target.parent != workspace.path / "backups":
        raise InvalidInput("A backup inside of the workspace is lost with it.", hint="Name a place outside of it.")
    return target


def _size(workspace: Workspace) -> int:
    """About how many bytes the backup will have."""
    files = sum(found.st_size for _, found in workspace.store.files())
    return files + sum(path.stat().st_size for path in _beside(workspace) if path.exists())


def _beside(workspace: Workspace) -> Iterator[Path]:
    """Files beside the database and the store: run folders, cards, sheets, and what other rooms keep in folders."""
    left = set(drafts(workspace.path))
    for folder in sorted(workspace.path.iterdir()):
        if folder.is_dir() and folder.name not in LEFT and not folder.name.startswith("."):
            yield from (path for path in sorted(folder.rglob("*")) if path.is_file() and path not in left)


def write_bundle(
    workspace: Workspace, stream: IO[bytes], total: int, *, with_keys: bool = False
) -> Generator[Progress, None, Manifest]:
    """Write a workspace as a zip into a stream; `total` says about how many bytes there are. Returns its manifest."""
    with zipfile.ZipFile(stream, "w") as bundle:
        manifest = yield from _fill(workspace, Writer(bundle), total, with_keys=with_keys)
        bundle.writestr(MANIFEST, manifest.model_dump_json(indent=1), zipfile.ZIP_DEFLATED)  # what has it is whole
    return manifest


def _fill(workspace: Workspace, writer: Writer, total: int, *, with_keys: bool) -> Generator[Progress, None, Manifest]:
    size = max(round(total / 1e6, 1), 0.1)

    def far(say: str) -> Progress:
        return Progress(min(round(writer.written / 1e6, 1), size), size, "MB", say)

    for path in (*_beside(workspace), *_keys(workspace.path / "keys", secret=with_keys)):
        name = path.relative_to(workspace.path).as_posix()
        squeeze = path.suffix in (".jsonl", ".json", ".log")
        try:
            blocks = blocks_of(path, path.stat().st_size)
            first = next(blocks, b"")
        except FileNotFoundError:
            continue  # an older state of a run that has a newer one by now
        writer.add(name, _after(first, blocks), squeeze=squeeze)
        yield far("run folders and cards")
    manifest = Manifest(sfumato=sfumato.__version__, made_at=now().isoformat(), with_keys=with_keys)
    with workspace.db.read() as session:  # one consistent state, however long it takes
        connection = session.connection()
        tables = tables_of(connection)
        manifest.revision = revision_of(connection) or ""
        manifest.workspace_format = str(session.scalar(text("select value from workspace_info where key = 'format'")))
        for name, table in tables.items():
            if name not in SKIPPED:
                rows = _Counted(write_rows(connection, table))
                writer.add(f"tables/{name}.jsonl", rows, squeeze=True)
                manifest.tables[name] = rows.n
                yield far(f"records: {name}")
        wanted = mentioned(session, tables, workspace.store)
        needed = {one.sha256 for one in named_files(session, tables)}
    yield from _add_stored(workspace, writer, manifest, wanted, needed, far)
    manifest.files = writer.files
    return manifest


def _keys(folder: Path, *, secret: bool) -> list[Path]:
    """Certificates, by which earlier pictures still count as ours; with what is secret all that signing needs."""
    found = sorted(folder.glob("*") if secret else [*folder.glob("*.root.pem"), *folder.glob("*.chain.pem")])
    return [path for path in found if path.is_file() and not path.name.startswith(".")]


class _Counted:
    """Lines, counted as they pass."""

    def __init__(self, lines: Iterator[bytes]) -> None:
        self.lines, self.n = lines, 0

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        line = next(self.lines)
        self.n += 1
        return line


def _add_stored(
    workspace: Workspace, writer: Writer, manifest: Manifest, wanted: set[str], needed: set[str],
    far: Callable[[str], Progress],
) -> Generator[Progress, None, None]:  # fmt: skip
    """Add the notes of what was erased, and the files that records name; those that are not there are listed."""
    for sha256 in sorted(workspace.store.all_erased()):
        writer.add(f"store/erased/{sha256}.json", blocks_of(workspace.store.note(sha256)))
    names = []
    for sha256 in sorted(wanted):
        path = workspace.store.path(sha256)
        try:
            blocks = blocks_of(path, path.stat().st_size)
            first = next(blocks, b"")
        except FileNotFoundError:
            if sha256 in needed:
                manifest.missing.append(sha256)
            continue
        name = f"store/{sha256[:2]}/{sha256}"
        member = writer.add(name, _after(first, blocks), listed=False)
        if member.sha256 != sha256:
            raise Damaged(
                f"The file {sha256[:12]} in the store does not hold what its name says; no backup was written.",
                hint="`sfumato doctor --deep --mend` sets such files aside.",
            )
        names.append(name)
        manifest.stored_bytes += member.bytes
        yield far("files")
    manifest.stored = len(names)
    manifest.stored_names = hashlib.sha256("\n".join(sorted(names)).encode()).hexdigest()


def _after(first: bytes, rest: Iterator[bytes]) -> Iterator[bytes]:
    yield first
    yield from rest


@action("care.backed_up", needs=NEEDS, doors=("cli", "library"))
def _write_down(act: Act, *, made: Backup) -> None:
    """Write into the log that a backup was made."""
    keys = "with" if made.with_keys else "without"
    said = f"wrote the backup {made.path.name} {keys} the secret keys"
    act.says(said, subject="workspace", outside=True, bytes=made.bytes)


@action("care.backup", needs=NEEDS, doors=("api",))
def ask_backup(act: Act, *, with_keys: bool = False) -> JobView:
    """Ask for a backup to be written into the workspace's folder `backups`, from where it can be fetched."""
    folder = act.workspace.path / "backups"
    folder.mkdir(mode=0o700, exist_ok=True)
    spec = {"target": str(placed(act.workspace, folder)), "with_keys": with_keys}
    act.says("asked for a backup", subject="workspace", outside=True)
    return enqueue(act, kind="care.backup", spec=spec, key=f"care.backup:{with_keys}")


@query("care.fetch_backup", needs=NEEDS, doors=("api",))
def finished_backup(act: Act, *, job: str) -> Path:
    """Fetch the backup that a job has written; raises NotFound where it has written none, or it lies there no more."""
    row = act.session.get(Job, job)
    told = (row.result or {}) if row is not None and row.kind == "care.backup" else {}
    path = act.workspace.path / "backups" / Path(str(told.get("path") or "none")).name
    if not told or not path.is_file():
        raise NotFound("This job has left no backup here.", hint="Ask for a new one.")
    return path
