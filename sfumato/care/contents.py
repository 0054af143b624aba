"""Checks of the files: all that rows name is there and is what it says, nothing else lies about."""

import contextlib
import hashlib
import os
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

from sqlalchemy import select

from sfumato.care.findings import DAY, MEND, RESTORE, Examination, some
from sfumato.care.naming import Named, hashes, mentioned, named_files
from sfumato.care.records import Erased
from sfumato.checkpoints.header import read_header
from sfumato.data.exports.asking import leftovers
from sfumato.db import new_id
from sfumato.errors import SfumatoError
from sfumato.jobs import Progress
from sfumato.store.disk import free_bytes, in_words
from sfumato.store.files import Erasure

DRAFTS = (".draft-*", "*.draft", ".restoring-*")
HALF_WRITTEN = ("backups", "cards", "cache", "runs", "evaluations", "copies", "tmp", "keys", "logs")


def check_files(exam: Examination) -> Iterator[Progress]:
    """Every file that a row names is there and not empty; with `deep` every file's bytes hash to its name."""
    yield Progress(say="files that records name")
    store = exam.workspace.store
    with exam.workspace.db.read() as session:
        named = {one.sha256: one for one in named_files(session, exam.tables)}
        gone_on_purpose = {
            sha256 for name in ("erased", "cleared") if name in exam.tables
            for sha256 in hashes(session, exam.tables[name], "sha256")
        }  # fmt: skip
    there = {sha256: found.st_size for sha256, found in store.files()}
    exam.looked_at["files"] = len(there)
    missing = [one for sha256, one in named.items() if sha256 not in there and sha256 not in gone_on_purpose]
    missing = [one for one in missing if not store.has(one.sha256)]  # kept since the folders were read
    for kind in sorted({one.kind for one in missing}):
        which = [_told(one) for one in missing if one.kind == kind]
        exam.damage("files", f"{len(which):,} {kind} are not in the store: {some(which)}.", RESTORE)
    empty = [sha256 for sha256, size in there.items() if size == 0 and sha256 != hashlib.sha256(b"").hexdigest()]
    yield from _set_aside(exam, empty, named, "is empty")
    if exam.deep:
        yield from _read_all(exam, there, named)
    for sha256, one in named.items():
        if one.kind == "checkpoints" and sha256 in there:
            _check_header(exam, store.path(sha256), one)


def _told(one: Named) -> str:
    return f"{one.says} ({one.sha256[:12]})" if one.says else one.sha256[:12]


def _read_all(exam: Examination, there: dict[str, int], named: dict[str, Named]) -> Iterator[Progress]:
    """Hash every file; what does not fit its name is set aside."""
    done, total, wrong = 0, sum(there.values()), []
    for sha256, size in there.items():
        if _hash(exam.workspace.store.path(sha256)) not in ("", sha256):
            wrong.append(sha256)
        done += size
        yield Progress(round(done / 1e6, 1), round(total / 1e6, 1), "MB", "reading every file")
    yield from _set_aside(exam, wrong, named, "does not hold what its name says")


def _hash(path: Path) -> str:
    digest = hashlib.sha256()
    try:
        with path.open("rb") as stream:
            while block := stream.read(1 << 20):
                digest.update(block)
    except FileNotFoundError:
        return ""  # removed since
    return digest.hexdigest()


def _set_aside(exam: Examination, wrong: list[str], named: dict[str, Named], says: str) -> Iterator[Progress]:
    """Report files that are not what they should be; mended they lie in `damaged`, so that the right ones can come."""
    yield Progress(say="files that are not what they should be")
    aside = exam.workspace.store.root / "damaged"
    for sha256 in wrong:
        one = named.get(sha256)
        what = f"The file {_told(one) if one else sha256[:12]} {says}."
        if exam.mend:
            aside.mkdir(exist_ok=True)
            with contextlib.suppress(FileNotFoundError):
                os.replace(exam.workspace.store.path(sha256), aside / sha256)
            exam.trouble("files", f"{what} It was set aside in store/damaged.", mended=True)
            if one:
                exam.damage(
                    "files", f"{_told(one)} is needed and has to be had again.", f"Collect it again, or: {RESTORE}"
                )
        else:
            exam.damage("files", what, f"`sfumato doctor --mend` sets it aside. {RESTORE}")


def _check_header(exam: Examination, path: Path, one: Named) -> None:
    try:
        read_header(path)
    except SfumatoError as problem:
        exam.damage("checkpoints", f"The checkpoint {one.sha256[:12]} cannot be read: {problem.message}", RESTORE)


def check_orphans(exam: Examination) -> Iterator[Progress]:
    """Files that nothing names; one that is younger than a day may be about to get its row."""
    yield Progress(say="files that nothing names")
    store, young, old, size = exam.workspace.store, 0, [], 0
    files = list(store.files())  # before the records, so that what gets its row meanwhile counts as named
    with exam.workspace.db.read() as session:
        wanted = mentioned(session, exam.tables, store)
    for sha256, found in files:
        if sha256 in wanted:
            continue
        if time.time() - found.st_mtime < DAY:
            young += 1
        else:
            old.append(sha256)
            size += found.st_size
    if young:
        exam.note("orphans", f"{young:,} files have no record yet; they are younger than a day and are kept.")
    if old:
        if exam.mend:
            for sha256 in old:
                store.remove(sha256)
        what = f"{len(old):,} files ({in_words(size)}) belong to no record and are older than a day."
        exam.trouble("orphans", what, MEND, mended=exam.mend)


def check_drafts(exam: Examination) -> Iterator[Progress]:
    """What killed processes left half-written; what is younger than a day may still be written."""
    yield Progress(say="half-written files")
    root = exam.workspace.path
    old = [path for path in drafts(root) if _age(path) > DAY]
    with exam.workspace.db.read() as session:
        old += leftovers(session)
    if old:
        if exam.mend:
            for path in old:
                with contextlib.suppress(OSError):
                    shutil.rmtree(path) if path.is_dir() else path.unlink()
        what = (
            f"{len(old):,} half-written files were left behind by processes that ended: {some([p.name for p in old])}."
        )
        exam.trouble("drafts", what, MEND, mended=exam.mend)


def drafts(root: Path) -> list[Path]:
    """Files below a workspace that are half-written, or that are kept for a moment only."""
    found = [path for path in (root / "store" / "incoming").glob("*") if path.is_file()]
    found += [path for path in (root / "tmp").rglob("*") if path.is_file()]
    for name in HALF_WRITTEN:
        found += [path for pattern in DRAFTS for path in (root / name).rglob(pattern) if path.is_file()]
    return sorted(set(found))


def _age(path: Path) -> float:
    try:
        return time.time() - path.stat().st_mtime
    except FileNotFoundError:
        return 0.0


def check_erased(exam: Examination) -> Iterator[Progress]:
    """What was erased is gone, is refused, and has its record."""
    yield Progress(say="what was erased")
    store, table = exam.workspace.store, exam.tables.get("erased")
    if table is None:
        return
    with exam.workspace.db.read() as session:
        rows = {row.sha256: row for row in session.execute(select(table))}
    back = [sha256 for sha256 in rows if store.has(sha256)]
    unmarked = [sha256 for sha256 in rows if store.erased(sha256) is None]
    if wrong := sorted({*back, *unmarked}):
        if exam.mend:
            for sha256 in wrong:
                row = rows[sha256]
                store.erase(Erasure(sha256, row.reason, row.made_by, str(row.made_at)[:10]))
        what = f"{len(wrong):,} files that were erased are still here, or could come back."
        exam.damage("erased", what, MEND, mended=exam.mend)
    unknown = store.all_erased() - set(rows)
    if unknown:
        if exam.mend:
            with exam.workspace.db.write() as session:
                for sha256 in unknown:
                    note = store.erased(sha256)
                    if note is not None:
                        session.add(Erased(id=new_id(), made_by=note.by, sha256=sha256, reason=note.reason))
        exam.trouble("erased", f"{len(unknown):,} erased files have no record of it.", MEND, mended=exam.mend)


def check_keys(exam: Examination) -> Iterator[Progress]:
    """Only their owner may read the keys."""
    yield Progress(say="the keys' rights")
    folder = exam.workspace.path / "keys"
    wrong = []
    for path in [folder, *folder.rglob("[!.]*")] if folder.is_dir() else []:
        wanted = 0o700 if path.is_dir() else 0o600
        if path.stat().st_mode & 0o777 & ~wanted:
            wrong.append(path)
            if exam.mend:
                path.chmod(wanted)
    if wrong:
        what = f"Others than their owner may read the keys: {some([path.name for path in wrong])}."
        todo = f"{MEND} If somebody else had access: `sfumato keys rotate`."
        exam.damage("keys", what, todo, mended=exam.mend)


def check_room(exam: Examination) -> Iterator[Progress]:
    """Whether there is room for more."""
    yield Progress(say="the room on the disk")
    free, wanted = free_bytes(exam.workspace.path), exam.workspace.settings.free_mb * 1_000_000
    exam.looked_at["free megabytes"] = free // 1_000_000
    if free < wanted:
        what = f"There is too little room: {in_words(free)} are free, {in_words(wanted)} are to stay free."
        exam.trouble("room", what, "`sfumato storage` shows what takes it, `sfumato storage tidy` makes some.")
