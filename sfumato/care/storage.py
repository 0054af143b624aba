"""What takes the room, by kind, and the biggest things by name."""

import heapq
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session

from sfumato.actions import Act, query
from sfumato.care.naming import Named, mentioned, named_files, tables_of
from sfumato.store import Store
from sfumato.store.disk import free_bytes

NEEDS = "workspace.care"
FOLDERS = {
    "runs": "run folders", "cards": "training cards", "evaluations": "contact sheets", "cache": "caches",
    "logs": "logs", "copies": "copies before upgrades", "keys": "keys", "tmp": "temporary files", "backups": "backups",
}  # fmt: skip
THUMBNAILS = "thumb"


@dataclass(frozen=True)
class Kind:
    """How much room a kind of file takes."""

    kind: str
    files: int
    bytes: int


@dataclass(frozen=True)
class Big:
    """One of the biggest things, by a name that people know."""

    what: str
    kind: str
    bytes: int


@dataclass(frozen=True)
class Storage:
    """What takes the room of a workspace, the most first, and what is left of the disk."""

    kinds: list[Kind]
    biggest: list[Big]
    bytes: int
    free: int
    stays_free: int


@query("care.storage", needs=NEEDS)
def take_stock(act: Act, *, biggest: int = 10) -> Storage:
    """What takes the room of the workspace, per kind, and the biggest things by name."""
    sizes: dict[str, list[int]] = {}
    largest: list[tuple[int, str, str]] = []

    def count(kind: str, size: int, what: str) -> None:
        known = sizes.setdefault(kind, [0, 0])
        known[0] += 1
        known[1] += size
        if size > 0:
            entry = (size, kind, what)
            if len(largest) < biggest:
                heapq.heappush(largest, entry)
            elif largest and entry > largest[0]:
                heapq.heapreplace(largest, entry)

    with act.workspace.db.read() as session:  # all projects
        for kind, size, what in (*_stored(session, act.store), *_beside(act.workspace.path)):
            count(kind, size, what)
    kinds = sorted((Kind(kind, *found) for kind, found in sizes.items()), key=lambda one: -one.bytes)
    big = [Big(what, kind, size) for size, kind, what in sorted(largest, reverse=True)]
    path = act.workspace.path
    total = sum(one.bytes for one in kinds)
    return Storage(kinds, big, total, free_bytes(path), act.workspace.settings.free_mb * 1_000_000)


def _stored(session: Session, store: Store) -> Iterator[tuple[str, int, str]]:
    """The store's files as (kind, bytes, name)."""
    tables = tables_of(session.connection())
    named: dict[str, Named] = {}
    for one in named_files(session, tables):
        named.setdefault(one.sha256, one)
    runs = {row.id: row.name for row in session.execute(select(tables["run"].c.id, tables["run"].c.name))}
    checkpoint = tables["checkpoint"]
    told = {row[0]: row[1] for row in session.execute(select(checkpoint.c.content_hash, checkpoint.c.run_id))}
    wanted: set[str] | None = None
    for sha256, found in list(store.files()):
        which = named.get(sha256)
        if which is None:
            wanted = mentioned(session, tables, store) if wanted is None else wanted
            kind = "other files that records name" if sha256 in wanted else "files of no record"
            yield kind, found.st_size, sha256[:12]
        elif which.kind == "checkpoints":
            run = runs.get(told.get(sha256) or "", "")
            yield which.kind, found.st_size, f"weights {sha256[:12]} of {run or 'no run'} at {which.says} pictures"
        else:
            yield which.kind, found.st_size, which.says or sha256[:12]


def _beside(root: Path) -> Iterator[tuple[str, int, str]]:
    for entry in sorted(root.iterdir()):
        if entry.is_file():
            kind = "database" if entry.name.startswith("workspace.db") else "other"
            yield kind, entry.stat().st_size, entry.name
        elif entry.name == "store":
            for name in ("incoming", "damaged", "erased"):
                kind = {"incoming": "temporary files", "damaged": "files set aside", "erased": "notes of erasures"}[
                    name
                ]
                yield from ((kind, size, what) for what, size in walk(entry / name, root))
        else:
            kind = FOLDERS.get(entry.name, "other")
            for what, size in walk(entry, root):
                yield "thumbnails" if kind == "caches" and THUMBNAILS in what else kind, size, what


def walk(folder: Path, root: Path) -> Iterator[tuple[str, int]]:
    """Every file below a folder as (its path within the root, bytes); what vanishes meanwhile is passed over."""
    for place, _, names in os.walk(folder):
        for name in names:
            path = Path(place) / name
            try:
                yield path.relative_to(root).as_posix(), path.stat().st_size
            except FileNotFoundError:
                continue
