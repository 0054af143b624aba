"""Notices: events that concern somebody, told until they have read up to them."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, select

from sfumato.actions import Act, action, query
from sfumato.actions.records import Concern, Event
from sfumato.db import find_or_add
from sfumato.errors import InvalidInput
from sfumato.people.addressees import names_of, reaching
from sfumato.people.asking_records import Seen

MOST = 200


@dataclass(frozen=True)
class Notice:
    """One event that concerns me."""

    position: int
    action: str
    by: str
    by_name: str
    summary: str
    subject: str
    made_at: datetime
    details: dict[str, Any]


@dataclass(frozen=True)
class Unread:
    """What has happened to my things since I last looked; `newest` is where reading all of it ends."""

    count: int
    newest: int
    notices: list[Notice]


@query("notice.unread", doors=("api", "cli"))
def unread(act: Act, *, before: int | None = None, limit: int = 50) -> Unread:
    """Events that concern me and that I have not read, newest first; `before` is the last position of a page."""
    seen = act.session.scalar(select(Seen.position).where(Seen.person == act.actor.id)) or 0
    count = act.session.scalar(_concerning(act, select(func.count(Event.position)), seen)) or 0
    newest = act.session.scalar(_concerning(act, select(func.max(Event.position)), seen))
    which = _concerning(act, select(Event), seen).order_by(Event.position.desc())
    if before is not None:
        which = which.where(Event.position < before)
    rows = list(act.session.scalars(which.limit(min(max(limit, 1), MOST))))
    names = names_of(act.session, {row.made_by for row in rows})
    told = [
        Notice(
            row.position, row.action, row.made_by, names[row.made_by], row.summary, row.subject, row.made_at,
            row.details,
        )
        for row in rows
    ]  # fmt: skip
    return Unread(count, newest or seen, told)


def _concerning(act: Act, which: Any, seen: int) -> Any:
    """Events of others that reach me in person or by a role, later than I have read."""
    reached = select(Concern.position).where(Concern.whom.in_(reaching(act)), Concern.position > seen)
    return which.where(Event.position.in_(reached), Event.made_by != act.actor.id)


@action("notice.read_to", needs="record.read", doors=("api", "cli"))
def read_to(act: Act, *, position: int) -> int:
    """Take note of all notices up to a position; it never goes back. Returns how far one has read now."""
    newest = act.session.scalar(select(func.max(Event.position))) or 0
    if not 0 <= position <= newest:
        raise InvalidInput(
            f"There is no event at {position:,}; the newest is {newest:,}.", hint="Name one that is shown."
        )
    mine = select(Seen).where(Seen.person == act.actor.id).with_for_update()
    row, _ = find_or_add(act.session, mine, Seen(made_by=act.actor.id, person=act.actor.id, position=position))
    row.position = max(row.position, position)
    return row.position
