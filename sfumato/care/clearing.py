"""Making room: what may go, what is lost with it, and letting it go; each time it is written into the log."""

import contextlib
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import select

from sfumato.actions import Act, Workspace, action, query
from sfumato.actions.registry import require
from sfumato.care.contents import drafts
from sfumato.care.findings import DAY
from sfumato.care.naming import tables_of
from sfumato.care.records import Cleared
from sfumato.care.storage import walk
from sfumato.db import link, new_id
from sfumato.errors import InvalidInput, unknown
from sfumato.logs import LARGEST
from sfumato.store.disk import in_words
from sfumato.training.letting_go import last_and_best, needed

NEEDS = "workspace.care"
KINDS = ("caches", "copies", "checkpoints")
LOST = {
    "caches": "Nothing is lost: what is needed of it is made again, which takes a while.",
    "copies": "The copies of the database from before upgrades are lost. The newest one stays.",
    "checkpoints": "These weights are lost: pictures that they drew cannot be drawn again from them. Their records, "
    "the pictures, and every model, best, last and parent checkpoint stay.",
    "tidy": "Old logs, caches that nobody used, copies from before upgrades, and half-written files go.",
}  # fmt: skip
FREE = {"checkpoint", "request", "measurement", "cleared", "erased"}  # they tell of weights without needing them


@dataclass(frozen=True)
class Going:
    """One thing that may go."""

    what: str
    bytes: int
    sha256: str = ""
    path: str = ""
    ref: str = ""


@dataclass(frozen=True)
class Clearing:
    """What goes, or would go, and what is lost with it."""

    kind: str
    things: list[Going]
    bytes: int
    lost: str
    done: bool


def _let_go(workspace: Workspace, kind: str, things: list[Going], *, really: bool) -> Clearing:
    size = sum(one.bytes for one in things)
    if really and things:
        _write_down(workspace, kind=kind, things=things, size=size)
        for one in things:
            if one.sha256:
                workspace.store.remove(one.sha256)
            else:
                with contextlib.suppress(FileNotFoundError):
                    Path(one.path).unlink()
        for folder in sorted((workspace.path / "cache").rglob("*"), reverse=True):
            if folder.is_dir() and not any(folder.iterdir()):
                with contextlib.suppress(OSError):
                    folder.rmdir()
    return Clearing(kind, things, size, LOST[kind], really)


@action("care.clear", needs=NEEDS, doors=("api", "cli"))
def _write_down(act: Act, *, kind: str, things: list[Going], size: int) -> None:
    """Make room by letting go of caches, copies, old checkpoints or what was kept long enough."""
    for one in things:
        if one.sha256:
            row = Cleared(id=new_id(), made_by=act.actor.id, sha256=one.sha256, bytes=one.bytes)
            act.session.add(row)
            act.session.flush()
            link(act.session, row.ref, one.ref, "clears")
    names = [one.what for one in things[:200]]
    said = f"cleared {len(things):,} {kind}, {in_words(size)}"
    act.says(said, subject="workspace", outside=True, things=names, bytes=size)


def clear(
    workspace: Workspace, kind: str, *, keep_last: int = 2, run: str | None = None, really: bool = False
) -> Clearing:
    """Make room by letting caches, copies or checkpoints go; without `really` only say what would go.

    Of each run the last `keep_last` checkpoints stay, and the best, and each that a model, a run that goes on from
    it, or a release needs. Raises InvalidInput, or NotFound for a run.
    """
    require(workspace, NEEDS)
    if kind not in KINDS:
        raise unknown("kind to clear", kind, KINDS)
    if keep_last < 1:
        raise InvalidInput("The last checkpoint of a run always stays.", hint="Give --keep-last 1 or more.")
    if kind == "checkpoints":
        things = old_checkpoints(workspace, keep_last=keep_last, run=run)
    elif kind == "caches":
        things = _files(workspace.path / "cache", workspace.path, lambda _: True)
    else:
        things = _copies(workspace.path, 0.0)
    return _let_go(workspace, kind, things, really=really)


def tidy(workspace: Workspace, *, really: bool = False) -> Clearing:
    """Let go of what has been kept longer than the settings say; without `really` only say what would go."""
    require(workspace, NEEDS)
    root, settings = workspace.path, workspace.settings
    things = _files(root / "logs", root, _older(settings.logs_days))
    things += _files(root / "cache", root, _older(settings.caches_days))
    things += _copies(root, settings.copies_days * DAY)
    known = {one.path for one in things}
    old = [path for path in drafts(root) if _older(1)(path)]
    more = [Going(path.relative_to(root).as_posix(), path.stat().st_size, path=str(path)) for path in old]
    things += [one for one in more if one.path not in known]
    if really:
        _shorten(root / "logs" / "worker.log")
    return _let_go(workspace, "tidy", things, really=really)


def _older(days: int) -> Callable[[Path], bool]:
    """Whether a file was neither written nor read for so many days."""

    def old(path: Path) -> bool:
        found = path.stat()
        return time.time() - max(found.st_mtime, found.st_atime) > days * DAY

    return old


def _files(folder: Path, root: Path, wanted: Callable[[Path], bool]) -> list[Going]:
    found = [(name, size) for name, size in walk(folder, root) if wanted(root / name)]
    return [Going(name, size, path=str(root / name)) for name, size in sorted(found)]


def _copies(root: Path, age: float) -> list[Going]:
    """Copies of the database from before upgrades, but the newest."""
    found = sorted((root / "copies").glob("*.db"), key=lambda path: (path.stat().st_mtime, path.name))[:-1]
    old = [path for path in found if time.time() - path.stat().st_mtime >= age]
    return [Going(path.relative_to(root).as_posix(), path.stat().st_size, path=str(path)) for path in old]


def _shorten(path: Path) -> None:
    """Keep the end of what workers printed; one may have it open, so the file itself stays."""
    with contextlib.suppress(FileNotFoundError), path.open("r+b") as stream:
        size = stream.seek(0, 2)
        if size > 2 * LARGEST:
            stream.seek(size - LARGEST)
            end = stream.read()
            path.with_name("worker.1.log").write_bytes(end)
            stream.truncate(0)


@query("care.old_checkpoints", needs=NEEDS, doors=("cli",))
def old_checkpoints(act: Act, *, keep_last: int, run: str | None) -> list[Going]:
    """Checkpoints that nothing needs any more; raises NotFound for a run that is not there."""
    with act.workspace.db.read() as session:  # all projects
        tables = tables_of(session.connection())
        runs, table = tables["run"], tables["checkpoint"]
        rows = session.execute(select(runs.c.id, runs.c.name)).all()
        if run is not None and run not in {row.name for row in rows}:
            raise unknown("run", run, [row.name for row in rows])
        kept = needed(session, tables, besides=FREE)
        told = select(table.c.id, table.c.content_hash, table.c.samples_seen, table.c.run_id)
        weights = [one for one in session.execute(told) if act.store.has(one.content_hash)]
    going = []
    for row in rows:
        if run in (None, row.name):
            found = sorted((one for one in weights if one.run_id == row.id), key=lambda one: one.samples_seen)
            stay = last_and_best(found, keep_last, act.workspace.path / "runs" / row.id / "log.jsonl")
            for one in found:
                if one.samples_seen not in stay and not {one.id, one.content_hash} & kept:
                    size = act.store.path(one.content_hash).stat().st_size
                    what, ref = f"{row.name} at {one.samples_seen:,} pictures", f"checkpoint/{one.id}"
                    going.append(Going(what, size, one.content_hash, ref=ref))
    return going
