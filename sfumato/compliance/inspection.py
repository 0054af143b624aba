"""One record of any kind, as whoever inspects it wants to see it: what it is, who did what to it, what is around it."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import select

from sfumato.actions import Act, query
from sfumato.actions.records import Event
from sfumato.compliance.chain import seen_here, walk_up
from sfumato.db import children, parents
from sfumato.db.kinds import find_record, get_record
from sfumato.errors import NotFound
from sfumato.people.addressees import names_of

MOST = 60  # neighbours and events that are told


@dataclass(frozen=True)
class Around:
    """A record beside the one in question, and what it is to it."""

    role: str
    ref: str
    title: str


@dataclass(frozen=True)
class Done:
    """One thing that was done to a record."""

    position: int
    action: str
    summary: str
    by: str
    by_name: str
    at: datetime


@dataclass(frozen=True)
class RecordView:
    """A record in words; `made_at` is None for one that this workspace has no row of, such as shipped weights."""

    ref: str
    kind: str
    title: str
    facts: dict[str, Any]
    parts: list[str]
    by: str
    by_name: str
    made_at: datetime | None
    parents: list[Around] = field(default_factory=list)
    children: list[Around] = field(default_factory=list)
    more_children: int = 0
    done: list[Done] = field(default_factory=list)


@query("record.show", doors=("api",))
def show_record(act: Act, *, ref: str) -> RecordView:
    """Any record by kind/id, or by the end of its id: what it is, by whom and when, what it came of, what came of it.

    Raises NotFound, or InvalidInput where several fit.
    """
    kind, _, key = ref.partition("/")
    row = get_record(act.session, ref) if key else None
    if row is None and not (kind == "checkpoint" and len(key) == 64):
        row = find_record(act.session, ref)
    if row is None:
        return _without_row(act, ref)
    told = row.describe()
    names = names_of(act.session, {row.made_by})
    above, below = parents(act.session, row.ref), children(act.session, row.ref)
    shown = set(seen_here(act, [one for _, one in below]))
    newest = sorted((pair for pair in below if pair[1] in shown), key=lambda pair: pair[1], reverse=True)
    return RecordView(
        row.ref, row.KIND, told.title, told.facts, [part.title for part in told.parts], row.made_by,
        names[row.made_by], row.made_at, [_around(act, *one) for one in above],
        [_around(act, *one) for one in newest[:MOST]], max(0, len(newest) - MOST), _done(act, row.ref),
    )  # fmt: skip


def _without_row(act: Act, ref: str) -> RecordView:
    """What is known of weights that came along, or that others grew from."""
    step = walk_up(act, ref)
    below = children(act.session, ref)
    if not step.steps and not below:
        raise NotFound(f"There is no record '{ref}' in this project.", hint="Records are named kind/ID.")
    shown = sorted(seen_here(act, [one for _, one in below]), reverse=True)
    roles = {one: role for role, one in below}
    return RecordView(
        ref, ref.partition("/")[0], step.title, step.facts, [], "", "", None,
        [Around(one.role, one.ref, one.title) for one in step.steps],
        [_around(act, roles[one], one) for one in shown[:MOST]], max(0, len(shown) - MOST), _done(act, ref),
    )  # fmt: skip


def _around(act: Act, role: str, ref: str) -> Around:
    row = get_record(act.session, ref)
    return Around(role, ref, row.describe().title if row is not None else walk_up(act, ref).title)


def _done(act: Act, ref: str) -> list[Done]:
    which = select(Event).where(Event.subject == ref).order_by(Event.position.desc()).limit(MOST)
    rows = list(act.session.scalars(which))
    names = names_of(act.session, {row.made_by for row in rows})
    return [Done(row.position, row.action, row.summary, row.made_by, names[row.made_by], row.made_at) for row in rows]
