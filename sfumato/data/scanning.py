"""A scan: measuring pictures that nobody measured yet, and letting each check judge what is known of them."""

import contextlib
import ctypes
import gc
import threading
import time
from collections.abc import Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, cast

import numpy as np
from sqlalchemy import ScalarSelect, func, insert, select
from sqlalchemy import Table as SqlTable
from sqlalchemy.orm import Session, aliased

from sfumato.actions import Workspace
from sfumato.data.appearance import MEASURE, UNREADABLE, measure_all
from sfumato.data.drawing import Drawer
from sfumato.data.findings import close_unseen, keep_findings
from sfumato.data.pictures import Draw
from sfumato.data.reading import bytes_of, keep_small, read_table, small_ones
from sfumato.data.records import KEPT, Appearance, Item, Scan
from sfumato.data.scan import CHECKS, ItemRow, Pictured, Pictures, Proposal, Table, work_of
from sfumato.data.second_look import Small
from sfumato.db import new_id
from sfumato.jobs import JobContext, Progress

BATCH = 400  # pictures that are measured, or findings that are kept, before they are written down
THREADS = 2
HOLDERS = 5  # of the same bytes, among whom it is sought whether they were measured
TOGETHER = 25  # pictures that a thread measures at a time
M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3  # of glibc's mallopt(3)
HELD, GIVEN_BACK = 32 << 20, 128 << 10  # bytes that are held when freed, while pictures are measured and otherwise
MAPPED = 4 << 20  # bytes from which on a block is asked of the system
Steps = Generator[Progress, None, Any]


def scan(ctx: JobContext, spec: dict[str, Any]) -> Generator[Progress, None, dict[str, Any]]:
    """Measure, then run the checks one after the other; each is written down whole before the next begins."""
    dataset_id, settings = spec["dataset_id"], spec["settings"]
    place: dict[str, Any] = ctx.position or {"scan": new_id(), "found": {}, "gone": {}, "rates": {}}
    if not ctx.position:
        with ctx.write() as session:
            ctx.save(session, place)
    left = [name for name in settings if name not in place["found"]]
    with Drawer() as drawer:
        draw = _one_at_a_time(drawer.draw)
        table: Table | None = None
        if any(CHECKS.get(name).KIND == "pixels" for name in left):
            rate = yield from measure_new(ctx, dataset_id, draw)
            if rate:
                place["rates"]["measuring"] = rate
            table = read_table(ctx.workspace, dataset_id, draw)
        for name in left:
            yield from _run(ctx, dataset_id, name, settings[name], place, table)
    n = _count(ctx.workspace, dataset_id)
    with ctx.write() as session:
        if session.get(Scan, place["scan"]) is None:
            session.add(
                Scan(
                    id=place["scan"], made_by=ctx.actor.id, dataset_id=dataset_id, job_id=ctx.job_id, n=n,
                    checks=list(settings), settings=settings, found=place["found"], rates=place["rates"],
                )
            )  # fmt: skip
    yield Progress(n, n, "pictures", "done")
    told = {name: count for name, count in place["found"].items() if count}
    return {
        "dataset": spec["dataset"], "scan": place["scan"], "n": n, "found": told, "gone": place["gone"],
        "rates": place["rates"],
    }  # fmt: skip


def _count(workspace: Workspace, dataset_id: str) -> int:
    with workspace.read() as session:
        kept = select(func.count(Item.id)).where(Item.dataset_id == dataset_id, Item.state == KEPT)
        return session.scalar(kept) or 0


def _one_at_a_time(draw: Draw) -> Draw:
    """The same for threads that share the process that draws."""
    lock = threading.Lock()

    def locked(svg: str, size: int) -> Any:
        with lock:
            return draw(svg, size)

    return locked


def measure_new(ctx: JobContext, dataset_id: str, draw: Draw) -> Steps:
    """Measure what is new or has other bytes than were measured; returns pictures a second, 0 if there were none."""
    workspace = ctx.workspace
    with workspace.read() as session:
        total = session.scalar(select(func.count(Item.id)).where(Item.dataset_id == dataset_id)) or 0
    last, seen, measured, begun = "", 0, 0, time.monotonic()
    kept, twin = small_ones(workspace), _twin()
    with ThreadPoolExecutor(THREADS) as pool, memory_held():
        while True:
            with workspace.read() as session:
                page = session.execute(
                    select(Item.id, Item.sha256, Appearance.id, Appearance.measured, Appearance.measure, twin)
                    .outerjoin(Appearance, Appearance.item_id == Item.id)
                    .where(Item.dataset_id == dataset_id, Item.id > last)
                    .order_by(Item.id)
                    .limit(BATCH)
                ).all()
                stale = [row for row in page if (row[3], row[4]) != (row[1], MEASURE)]
                known = _known(session, [row[5] for row in stale if row[5] is not None])
            if not page:
                break
            known = {sha256: one for sha256, one in known.items() if _is_there(workspace, sha256, one["file_bytes"])}
            new = list(dict.fromkeys(row[1] for row in stale if row[1] not in known))  # the bytes, each once
            parts = [new[start : start + TOGETHER] for start in range(0, len(new), TOGETHER)]
            values = pool.map(lambda part: measure_kept(workspace, part, draw), parts)
            drawn: dict[str, Small] = {}
            for part, (found, small) in zip(parts, values, strict=True):
                drawn |= small
                known |= {sha256: one for sha256, one in zip(part, found, strict=True) if one is not None}
                yield Progress(seen + len(known), total, "pictures", "measuring")
            fresh = [(row, known[row[1]]) for row in stale if row[1] in known]
            if drawn:
                keep_small(kept, drawn)
            if fresh:
                with ctx.write() as session:
                    _write_measured(session, ctx.actor.id, dataset_id, fresh)
            last, seen, measured = page[-1][0], seen + len(page), measured + len(fresh)
            yield Progress(seen, total, "pictures", "measuring")
    return round(measured / max(time.monotonic() - begun, 1e-6), 1) if measured else 0.0


def _twin() -> ScalarSelect[str]:
    """The appearance of the same bytes under another name, where they were measured already: they look the same.

    Sought among the first few who have them, so that a picture that is there very often costs no more than others.
    """
    other, seen = aliased(Item), aliased(Appearance)
    holders = select(other.id).where(other.sha256 == Item.sha256).limit(HOLDERS).correlate(Item)
    same = (seen.item_id.in_(holders), seen.measured == Item.sha256, seen.measure == MEASURE)
    return select(seen.id).where(*same).limit(1).correlate(Item).scalar_subquery()


def _known(session: Session, ids: list[str]) -> dict[str, dict[str, Any]]:
    """What was measured of the bytes that these appearances are of, by the hash of the bytes."""
    columns = ("measured", "file_bytes", *UNREADABLE)
    if not ids:
        return {}
    rows = session.execute(select(*(getattr(Appearance, name) for name in columns)).where(Appearance.id.in_(ids)))
    return {row[0]: dict(zip(columns[1:], row[1:], strict=True)) for row in rows}


def _is_there(workspace: Workspace, sha256: str, size: int) -> bool:
    """Whether the store still has these bytes whole; what was erased or spoilt is looked at like a new one."""
    return len(bytes_of(workspace.store, sha256) or b"") == size


@contextlib.contextmanager
def memory_held() -> Iterator[None]:
    """Let what is freed be used again at once (glibc's mallopt(3)), and what is there not be gone over for garbage.

    By itself glibc gives the half megabyte of each picture back to the system, and asks for it anew with the next.
    """
    library: Any = None
    with contextlib.suppress(OSError, AttributeError):  # other libraries of C have no such call, and no such habit
        library = ctypes.CDLL(None)
        for option, value in ((M_MMAP_THRESHOLD, MAPPED), (M_TRIM_THRESHOLD, HELD)):
            library.mallopt(option, value)
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()
        with contextlib.suppress(AttributeError):
            library.mallopt(M_TRIM_THRESHOLD, GIVEN_BACK)
            library.malloc_trim(0)


def measure_kept(
    workspace: Workspace, sha256s: list[str], draw: Draw
) -> tuple[list[dict[str, Any] | None], dict[str, Small]]:  # fmt: skip
    """What is measured of kept bytes, None where they were erased; and by hash, small, those that were drawn."""
    sizes: list[int | None] = []
    drawn: dict[str, Small] = {}

    def read() -> Iterator[bytes]:
        for sha256 in sha256s:
            data = bytes_of(workspace.store, sha256)
            sizes.append(None if data is None else len(data))
            yield data or b""

    def keep(place: int, seen: np.ndarray) -> None:
        drawn[sha256s[place]] = Small.of(seen)

    measured = measure_all(read(), workspace.settings.max_pixels, draw=draw, drawn=keep)
    values = [None if n is None else {"file_bytes": n, **one} for n, one in zip(sizes, measured, strict=True)]
    return values, drawn


def _write_measured(
    session: Session, person: str, dataset_id: str, fresh: list[tuple[Any, dict[str, Any]]]
) -> None:  # fmt: skip
    known = [row[2] for row, _ in fresh if row[2]]
    old = session.scalars(select(Appearance).where(Appearance.id.in_(known))) if known else ()
    there = {one.id: one for one in old}
    new: list[dict[str, Any]] = []
    for (item_id, sha256, appearance_id, *_), values in fresh:
        columns = {"measured": sha256, "measure": MEASURE, **values}
        row = there.get(appearance_id or "")
        if row is None:
            new.append({"id": new_id(), "made_by": person, "dataset_id": dataset_id, "item_id": item_id, **columns})
            continue
        for name, value in columns.items():
            setattr(row, name, value)
    if new:
        session.execute(insert(cast(SqlTable, Appearance.__table__)), new)


def _run(
    ctx: JobContext, dataset_id: str, name: str, settings: dict[str, Any], place: dict[str, Any], table: Table | None
) -> Steps:
    """Let one check judge, keep what it proposes a batch at a time, and at the end close what it sees no more."""
    module, work, begun = CHECKS.get(name), work_of(name), time.monotonic()
    options = module.Options.model_validate(settings)
    n = len(table) if table is not None else _count(ctx.workspace, dataset_id)
    looked = Looked(n)
    if module.KIND == "pixels":
        proposals = work(table, options)
    elif module.KIND == "rows":
        proposals = work(read_rows(ctx.workspace, dataset_id), options)
    else:
        proposals = work(pictures_of(ctx.workspace, dataset_id, name, looked), options)
    seen: list[str] = []
    batch: list[Proposal] = []

    def keep() -> None:
        with ctx.write() as session:
            seen.extend(
                keep_findings(session, dataset_id, name, batch, scan_id=place["scan"], person=ctx.actor.id)
            )  # fmt: skip
        batch.clear()

    for proposal in proposals:
        if isinstance(proposal, float):
            looked.done = int(proposal * n)
        elif proposal is not None:
            batch.append(proposal)
        if len(batch) >= BATCH:
            keep()
        yield Progress(looked.done, n, "pictures", f"looking for {module.TITLE}")
    keep()
    with ctx.write() as session:
        gone = close_unseen(session, dataset_id, name, seen)
        place["found"][name] = len(set(seen))
        place["gone"] |= {name: gone} if gone else {}
        place["rates"][name] = round(n / max(time.monotonic() - begun, 1e-3), 1)
        ctx.save(session, place)
    yield Progress(n, n, "pictures", f"looking for {module.TITLE}")


class Looked:
    """How many pictures a check has taken up so far."""

    def __init__(self, n: int) -> None:
        self.n = n
        self.done = 0


def read_rows(workspace: Workspace, dataset_id: str) -> list[ItemRow]:
    """What the record says of all kept pictures."""
    names = list(ItemRow.__dataclass_fields__)
    statement = (
        select(*(getattr(Item, name) for name in names))
        .where(Item.dataset_id == dataset_id, Item.state == KEPT)
        .order_by(Item.id)
    )
    with workspace.read() as session:
        return [ItemRow(*row) for row in session.execute(statement)]


def pictures_of(workspace: Workspace, dataset_id: str, name: str, looked: Looked) -> Pictures:
    """All kept pictures with their bytes, and the folder where a check keeps what it has seen."""
    folder = workspace.path / "cache" / "checks"
    folder.mkdir(parents=True, exist_ok=True)

    def each() -> Iterator[Pictured]:
        last, looked.done = "", 0
        while True:
            with workspace.read() as session:
                page = session.execute(
                    select(Item.id, Item.sha256, Item.name)
                    .where(Item.dataset_id == dataset_id, Item.state == KEPT, Item.id > last)
                    .order_by(Item.id)
                    .limit(1_000)
                ).all()
            if not page:
                return
            for item_id, sha256, caption in page:
                looked.done += 1
                yield Pictured(item_id, sha256, caption, partial(workspace.store.get, sha256))
            last = page[-1][0]

    return Pictures(workspace, folder, looked.n, each)
