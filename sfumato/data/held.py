"""A dataset as columns in memory: read once, and then only what has changed, so that a brush is answered at once."""

import contextlib
import ctypes
import json
import re
import threading
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any

from sqlalchemy import Integer, String, bindparam, cast, func, select

from sfumato.actions import Act
from sfumato.actions.records import Event, WorkspaceInfo
from sfumato.data.coded import Coded, Ids
from sfumato.data.narrowing import EQUAL, ITEM_RANGES, RANGES, SEEN_RANGES, Where, narrow
from sfumato.data.records import Appearance, Dataset, Decided, Decision, Finding, Item, Scan
from sfumato.db.scope import Prepared
from sfumato.errors import unknown
from sfumato.jobs.records import Job

if TYPE_CHECKING:
    import numpy as np

MOST = 3  # datasets whose columns are held
AT_ONCE = 500  # ids that a statement names
ROWS = 5_000  # that are read at once
PASSING = ("asked", "overview")  # what was worked out from more than the columns, and so many of each are kept:
NARROWINGS = 20
WORD = re.compile(r"[^\W\d_][\w'’-]*")
PLAIN = ("name", "attributes", *EQUAL)
Stamp = tuple[tuple[Any, ...], ...]
ENDED: Any = select(func.count(Job.id), func.max(Job.ended_at)).where(
    Job.kind.startswith("data."), Job.ended_at.is_not(None)
)
STAMP = (
    Prepared(select(WorkspaceInfo.value).where(WorkspaceInfo.key == "events")),
    *(
        Prepared(
            select(table.id)
            .where(table.dataset_id == bindparam("dataset_id", type_=String))
            .order_by(table.id.desc())
            .limit(bindparam("most", 1, type_=Integer))
        )
        for table in (Item, Decision, Appearance, Scan)
    ),
    Prepared(select(func.count(Scan.id)).where(Scan.dataset_id == bindparam("dataset_id", type_=String))),
    Prepared(ENDED),
)
_held: dict[tuple[str, str, str], "Columns"] = {}
_lock = threading.Lock()
_reading: dict[str, threading.Lock] = {}  # one for each dataset, so that a large one holds up nobody else


@dataclass(frozen=True)
class Mark:
    """What changes whenever a dataset does; none of it is slow to ask for."""

    event: int
    item: str | None
    decision: str | None
    appearance: str | None
    scans: tuple[str | None, int]
    collected: datetime | None
    worked: datetime | None


@dataclass
class Columns:
    """All pictures of one dataset in the order of their ids, as they were at `mark`."""

    mark: Mark
    ids: Ids
    captions: list[str]
    numbers: dict[str, "np.ndarray[Any, Any]"]
    words: dict[str, Coded]
    declared: dict[str, Coded]
    checks: dict[str, "np.ndarray[Any, Any]"] = field(default_factory=dict)
    kept: dict[Any, Any] = field(default_factory=dict)  # what was worked out of them
    stamp: Stamp = ()  # as they were last found to be true

    @cached_property
    def spoken(self) -> tuple["np.ndarray[Any, Any]", "np.ndarray[Any, Any]", list[str]]:
        """Which picture says which word, each once: places, words' places, words."""
        import numpy as np

        places: list[int] = []
        codes: list[int] = []
        known: dict[str, int] = {}
        for place, caption in enumerate(self.captions):
            for word in dict.fromkeys(WORD.findall(caption.lower())):  # in one order, each time
                places.append(place)
                codes.append(known.setdefault(word, len(known)))
        return np.array(places, np.int32), np.array(codes, np.int32), list(known)

    def forget(self, kind: str) -> None:
        """Let go of the oldest things of a kind that were worked out, so that another one has room."""
        for old in [one for one in self.kept if one[0] == kind][: 1 - NARROWINGS]:
            self.kept.pop(old, None)

    def coded(self, name: str) -> Coded:
        """A column of words, or a declared attribute; raises NotFound with the nearest name."""
        found = self.words.get(name) or self.declared.get(name)
        if found is None:
            raise unknown("column", name, [*self.words, *self.declared])
        return found


def columns_of(act: Act, dataset: Dataset) -> Columns:
    """The columns of a dataset; of one that was read before only what has changed since is read again."""
    key = (str(act.workspace.path), act.workspace.project, dataset.id)
    with _lock:
        reading = _reading.setdefault(dataset.id, threading.Lock())
    with reading:
        stamp, held = _stamp(act, dataset), _held.get(key)
        if held is None or held.stamp != stamp:
            mark = _mark(act, dataset)
            if held is None or held.mark != mark:
                held = _renewed(act, dataset.id, held, mark)
            held.stamp = stamp
        with _lock:
            _held.pop(key, None)
            while len(_held) >= MOST:
                _held.pop(next(iter(_held)))
            _held[key] = held
    return held


def _stamp(act: Act, dataset: Dataset) -> Stamp:
    """What is different whenever a mark may be, by statements that were compiled once."""
    found = [ask.rows(act.session, dataset_id=dataset.id) for ask in STAMP]
    return tuple(tuple(rows[0]) if rows else () for rows in found)


def _mark(act: Act, dataset: Dataset) -> Mark:
    position = act.session.scalar(select(WorkspaceInfo.value).where(WorkspaceInfo.key == "events"))
    item, decision, appearance, scan = (
        act.session.scalar(select(table.id).where(table.dataset_id == dataset.id).order_by(table.id.desc()).limit(1))
        for table in (Item, Decision, Appearance, Scan)
    )
    ended, into = select(func.max(Job.ended_at)), Job.spec["into"].as_string().in_(dataset.names)
    collected = act.session.scalar(ended.where(Job.kind == "data.collect", into))
    about = Job.spec["dataset"].as_string().in_(dataset.names)
    worked = act.session.scalar(ended.where(Job.kind.startswith("data."), Job.kind != "data.collect", about))
    scans = act.session.scalar(select(func.count()).select_from(Scan).where(Scan.dataset_id == dataset.id)) or 0
    return Mark(int(position or 0), item, decision, appearance, (scan, scans), collected, worked)


def _renewed(act: Act, dataset_id: str, held: Columns | None, mark: Mark) -> Columns:
    if held is None or held.mark.collected != mark.collected or _erased(act, held.mark.event):
        held = Columns(mark, Ids(), [], {}, {name: Coded() for name in EQUAL}, {})
        fresh, last = held, ""
        while rows := _rows(act, Item.dataset_id == dataset_id, Item.id > last, most=ROWS):
            fresh, last = _with_rows(fresh, mark, rows), rows[-1][0]
        _measure(act, fresh, Appearance.dataset_id == dataset_id)
        _find(act, dataset_id, fresh)
        _give_back()
        return fresh
    rows = _rows(act, Item.dataset_id == dataset_id, Item.id > (held.ids[-1] if held.ids else ""))
    touched = select(Decided.item_id).join(Decision, Decision.id == Decided.decision_id)
    touched = touched.where(Decision.dataset_id == dataset_id, Decision.id > (held.mark.decision or ""))
    ids = sorted(held.ids.known(act.session.scalars(touched))) if mark.decision != held.mark.decision else []
    for start in range(0, len(ids), AT_ONCE):
        rows += _rows(act, Item.id.in_(ids[start : start + AT_ONCE]))
    fresh = _with_rows(held, mark, rows)
    newer = (Appearance.id > (held.mark.appearance or ""),) if mark.scans == held.mark.scans else ()
    if not newer or mark.appearance != held.mark.appearance:
        _measure(act, fresh, Appearance.dataset_id == dataset_id, *newer)
    _find(act, dataset_id, fresh)
    return fresh


def _give_back() -> None:
    """Give the memory that reading took back to the system at once, where the C library knows how (glibc)."""
    with contextlib.suppress(AttributeError, OSError, TypeError):
        ctypes.CDLL(None).malloc_trim(0)


def _erased(act: Act, since: int) -> bool:
    """Whether somebody took care of the workspace since an event: rows may be gone."""
    care = select(Event.id).where(Event.position > since, Event.action.startswith("care.")).limit(1)
    return act.session.scalar(care) is not None


def _rows(act: Act, *conditions: Any, most: int | None = None) -> list[Any]:
    plain = [cast(Item.attributes, String) if name == "attributes" else getattr(Item, name) for name in PLAIN]
    wanted = select(Item.id, *plain, *ITEM_RANGES.values()).where(*conditions).order_by(Item.id)
    return list(act.session.execute(wanted.limit(most)))


def _with_rows(held: Columns, mark: Mark, rows: list[Any]) -> Columns:
    """The columns with these rows, those of new pictures at the end."""
    import numpy as np

    if not rows:
        worked_out = {key: one for key, one in held.kept.items() if key[0] not in PASSING}
        return replace(held, mark=mark, checks={}, kept=worked_out)
    across = dict(zip(("id", *PLAIN, *ITEM_RANGES), zip(*rows, strict=True), strict=True))
    fresh = Columns(mark, held.ids.with_more(across["id"]), [], {}, {}, {})
    n, places = len(fresh.ids), fresh.ids.places(across["id"])
    fresh.captions = [*held.captions, *[""] * (n - len(held.ids))]
    for place, caption in zip(places.tolist(), across["name"], strict=True):
        fresh.captions[place] = caption
    fresh.words = {name: column.changed(places, across[name], n) for name, column in held.words.items()}
    read = [{} if one in ("{}", "null", None) else json.loads(one) for one in across["attributes"]]
    names = sorted({*held.declared, *(name for one in read for name in one)})
    fresh.declared = {
        name: held.declared.get(name, Coded()).changed(places, [str(one.get(name, "")) for one in read], n)
        for name in names
    }
    for name in {**ITEM_RANGES, **held.numbers}:
        old = held.numbers.get(name, np.empty(0))
        fresh.numbers[name] = np.concatenate([old, np.full(n - len(old), np.nan)])
    for name in ITEM_RANGES:
        fresh.numbers[name][places] = across[name]
    fresh.numbers["aspect"] = fresh.numbers["width"] / np.maximum(fresh.numbers["height"], 1)
    fresh.numbers["caption_letters"] = np.array([len(one) for one in fresh.captions], np.float64)
    return fresh


def _measure(act: Act, columns: Columns, *conditions: Any) -> None:
    import numpy as np

    wanted = select(Appearance.item_id, *SEEN_RANGES.values()).where(*conditions)
    wholes: dict[str, np.ndarray[Any, Any]] = {}
    for rows in act.session.execute(wanted.execution_options(yield_per=ROWS)).partitions():
        across = list(zip(*rows, strict=True))
        places = columns.ids.places(across[0])
        there = places >= 0
        for name, column in zip(SEEN_RANGES, across[1:], strict=True):
            if name not in wholes:
                wholes[name] = columns.numbers.get(name, np.full(len(columns.ids), np.nan)).copy()
            wholes[name][places[there]] = np.array(column, np.float64)[there]
    if wholes:
        columns.numbers |= wholes
        columns.kept.clear()


def _find(act: Act, dataset_id: str, columns: Columns) -> None:
    import numpy as np

    open_ones = select(Finding.check, Finding.item_id).where(Finding.dataset_id == dataset_id, Finding.state == "open")
    by_check: dict[str, list[str]] = {}
    for check, item in act.session.execute(open_ones):
        by_check.setdefault(check, []).append(item)
    for check, found in by_check.items():
        places = columns.ids.places(found)
        columns.checks[check] = np.zeros(len(columns.ids), bool)
        columns.checks[check][places[places >= 0]] = True


def parts_of(act: Act, dataset: Dataset, columns: Columns, where: Where) -> dict[str, "np.ndarray[Any, Any]"]:
    """One mask for each part of a description, by the column that it narrows; "" is what only the database knows."""
    parts: dict[str, Any] = {}
    for name in EQUAL:
        said = getattr(where, name)
        if said is not None:
            column = columns.words[name]
            parts[name] = column.codes == column.find(said.lower() if name == "concept" else said)
    for name, (low, high) in where.ranges.items():
        parts[name] = _within(columns, name, low, high)
    if where.check:
        parts["check"] = _with_finding(columns, where.check)
    for name, value in where.attributes.items():
        parts[f"attribute {name}"] = _with_attribute(columns, name, value)
    if where.no_caption is not None:
        parts["no_caption"] = (columns.numbers["caption_letters"] == 0) == where.no_caption
    rest = where.model_copy(
        update={name: None for name in (*EQUAL, "check", "no_caption")} | {"ranges": {}, "attributes": {}}
    )
    if rest != Where():
        parts[""] = _asked(act, dataset, columns, rest)
    return parts


def _within(columns: Columns, name: str, low: float | None, high: float | None) -> Any:
    import numpy as np

    if name not in RANGES:
        raise unknown("measured column", name, RANGES)
    values = columns.numbers.get(name)
    if values is None:
        return np.zeros(len(columns.ids), bool)
    return (values >= (-np.inf if low is None else low)) & (values <= (np.inf if high is None else high))


def _with_finding(columns: Columns, check: str) -> Any:
    import numpy as np

    wanted = [found for name, found in columns.checks.items() if check in ("*", name)]
    return np.logical_or.reduce([np.zeros(len(columns.ids), bool), *wanted])


def _with_attribute(columns: Columns, name: str, value: str) -> Any:
    import numpy as np

    if name not in columns.declared:
        return np.full(len(columns.ids), not value)
    column = columns.declared[name]
    return column.codes == column.find(value)


def _asked(act: Act, dataset: Dataset, columns: Columns, where: Where) -> Any:
    """Ask the database, once for each state of the dataset."""
    import numpy as np

    key = ("asked", where.model_dump_json())
    if key not in columns.kept:
        mask = np.zeros(len(columns.ids), bool)
        places = columns.ids.places(act.session.scalars(narrow(select(Item.id), dataset.id, where)).all())
        mask[places[places >= 0]] = True
        columns.forget("asked")
        columns.kept[key] = mask
    return columns.kept[key]


def together(parts: dict[str, "np.ndarray[Any, Any]"], n: int, but: str | None = None) -> "np.ndarray[Any, Any]":
    """The pictures for which all parts hold, but for the part named."""
    import numpy as np

    return np.logical_and.reduce([np.ones(n, bool), *(mask for name, mask in parts.items() if name != but)])
