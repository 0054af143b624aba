"""Taking in what a source hands over: each picture is looked at outside of any transaction, rows come by the batch."""

import hashlib
import sys
from collections import Counter
from dataclasses import dataclass
from typing import Any

from sqlalchemy import delete, insert, select, update
from sqlalchemy.orm import Session

from sfumato.data.captions import may_flip
from sfumato.data.found import Found, Left
from sfumato.data.pictures import Draw, Unusable, check_name, measure
from sfumato.data.records import Item, Quarantined
from sfumato.data.rights import read_rights, with_rights
from sfumato.data.twins import HELD, LEFT, Twins, leave_out_again, twins_among
from sfumato.db import new_id
from sfumato.trust.licence_names import spdx_of

LONGEST: dict[str, int] = {
    column.name: getattr(column.type, "length", None) or sys.maxsize for column in Item.__table__.columns
}
SAID = (
    "name", "tags", "style", "category", "author", "source", "source_version", "url", "evidence", "attributes",
    "family", "given_split", "consent", "opt_out",
)  # fmt: skip
SILENT = {"licence": "NOASSERTION", "author": ""}  # what a source says that tells nothing
MEASURED = ("concept", "licence", "width", "height", "has_alpha", "flip_ok", "sha256")


@dataclass(frozen=True)
class Taken:
    """A picture that was looked at and may be written down."""

    row: dict[str, Any]


def look_at(found: Found, max_pixels: int, *, draw: Draw | None = None) -> Taken | Left:
    """Check and measure one picture outside of any transaction; `draw` draws it if it is an SVG."""
    try:
        check_name(found.key, found.data)
        seen = measure(found.data, max_pixels, draw=draw, look=read_rights)
    except Unusable as problem:
        return Left(found.key, problem.reason, problem.detail, found.source)
    found = with_rights(found, seen.told)
    flip_ok = may_flip(found.name, *found.tags) if found.flip_ok is None else found.flip_ok
    row = {name: getattr(found, name) for name in SAID} | {
        "key": found.key, "concept": found.concept or found.name.lower(),
        "licence": spdx_of(found.licence) or "NOASSERTION",
        "width": seen.width, "height": seen.height, "has_alpha": seen.has_alpha, "flip_ok": flip_ok,
        "sha256": hashlib.sha256(found.data).hexdigest(),
    }  # fmt: skip
    for name, longest in LONGEST.items():
        said = row.get(name, "")
        if isinstance(said, str) and len(said) > longest:
            detail = f"its {name} has {len(said):,} letters, {longest} are allowed"
            return Left(found.key, "metadata too long", detail, found.source)
    return Taken(row)


def write_down(session: Session, person: str, dataset_id: str, things: list[Taken | Left], job_id: str) -> Counter[str]:
    """Write rows of what was taken and what was not; what is there already stays as it is.

    What has the very bytes of pictures that were all left out comes as left out too, by a decision of this job.

    What a decision has set (the item's `edited` columns, and its state) stays as decided, whatever the source says.
    What was quarantined and can be taken by now leaves the quarantine; the other way round, the picture that was
    taken before stays, and the quarantine says that its source has become unusable.
    """
    wanted = [thing for thing in things if not (isinstance(thing, Left) and thing.unwanted)]
    counts = Counter({"unwanted": len(things) - len(wanted)})
    taken = {_place(row): row for row in (thing.row for thing in wanted if isinstance(thing, Taken))}
    left = {_place(row): row for row in (_row_of(thing) for thing in wanted if isinstance(thing, Left))}
    quarantined = _there(session, Quarantined, dataset_id, [*taken, *left])
    for table, rows, there, kind in (
        (Item, taken, _there(session, Item, dataset_id, list(taken)), "new"),
        (Quarantined, left, quarantined, "quarantined"),
    ):
        fresh = [row for place, row in rows.items() if place not in there]
        if fresh:
            own = {"made_by": person, "dataset_id": dataset_id}
            ids = sorted(new_id() for _ in fresh)  # in the order of the source, also within one millisecond
            fresh = [{"id": one, **own, **row} for one, row in zip(ids, fresh, strict=True)]
            twins = twins_among(session, dataset_id, fresh) if table is Item else Twins()
            if twins.left_out:
                fresh = [row | (LEFT if place in twins.left_out else HELD) for place, row in enumerate(fresh)]
            session.execute(insert(table), fresh)
            if twins.left_out:
                leave_out_again(session, person, dataset_id, job_id, fresh, twins)
            counts += twins.counts
        counts[kind] += len(fresh)
        for place, known in there.items():
            if place in rows:
                counts["known"] += 1
                counts["changed"] += _change(session, table, known, rows[place])
    counts["known"] += len(wanted) - len(taken) - len(left)  # the same place twice in one batch
    mended = [quarantined[place].id for place in taken if place in quarantined and place not in left]
    if mended:
        session.execute(delete(Quarantined).where(Quarantined.id.in_(mended)))
    return +counts


def _place(row: dict[str, Any]) -> tuple[str, str]:
    return row["source"], row["key"]


def _change(session: Session, table: Any, known: Any, row: dict[str, Any]) -> bool:
    """Set what the source says otherwise than the row does, unless a decision has said it.

    A licence or an author that is not told this time stays what it was: silence takes nothing back.
    """
    decided = getattr(known, "edited", ())
    values = {
        name: value for name, value in row.items()
        if name not in decided and getattr(known, name) != value and value != SILENT.get(name)
    }  # fmt: skip
    if values:
        session.execute(update(table).where(table.id == known.id).values(**values))
    return bool(values)


def _row_of(left: Left) -> dict[str, Any]:
    """What is written of something that was left; it may have names of any length."""
    key = left.key
    if len(key) > 400:
        key = f"{key[:360]} … {hashlib.sha256(key.encode()).hexdigest()[:16]}"
    return {"key": key, "source": left.source[:200], "reason": left.reason[:60], "detail": left.detail}


def _there(session: Session, table: Any, dataset_id: str, places: list[tuple[str, str]]) -> dict[tuple[str, str], Any]:
    """What a table has of these places in their sources, as plain rows."""
    if not places:
        return {}
    sources, keys = {source for source, _ in places}, {key for _, key in places}
    names = ("reason", "detail") if table is Quarantined else (*SAID, *MEASURED, "edited")
    columns = [getattr(table, name) for name in dict.fromkeys(("id", "source", "key", *names))]
    found = select(*columns).where(table.dataset_id == dataset_id, table.source.in_(sources), table.key.in_(keys))
    return {(row.source, row.key): row for row in session.execute(found)}
