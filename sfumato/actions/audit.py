"""The log of events as auditors read it: filtered by who, what, which record and when, a part at a time."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Select, select

from sfumato.actions.events import EventView, view
from sfumato.actions.records import Event
from sfumato.actions.registry import Act, query, require
from sfumato.db import ACROSS
from sfumato.errors import NotFound

NEEDS = "audit.read"
SLACK = timedelta(minutes=1)  # between the making of an id and of its moment
HIGHEST = 2**63 - 1  # what a database counts to
FIRST, LAST = datetime(1970, 1, 2, tzinfo=UTC), datetime(9000, 1, 1, tzinfo=UTC)


@query("event.audit", needs=NEEDS, doors=("api",))
def audit(
    act: Act,
    *,
    after: int | None = None,
    limit: int = 50,
    made_by: str = "",
    action: str = "",
    subject: str = "",
    since: datetime | None = None,
    until: datetime | None = None,
    outside: bool = False,
) -> list[EventView]:
    """What was done, the newest first; `after` is the position of the last one seen.

    `action` may be a beginning with a dot, `subject` a record or a kind with a stroke. What was done `outside` any
    project (signing in, backups) is for those who care for the workspace.
    """
    found = select(Event).order_by(Event.position.desc()).limit(limit)
    if outside:
        require(act.workspace, "workspace.care")
        found = found.where(Event.project_id == "", Event.private_to.in_(("", act.actor.id)))
    if after is not None:
        found = found.where(Event.position < min(max(after, 0), HIGHEST))
    if made_by:
        found = found.where(Event.made_by == made_by)
    if action:
        same = Event.action.startswith(action, autoescape=True) if action.endswith(".") else Event.action == action
        found = found.where(same)
    if subject:
        same = Event.subject.startswith(subject, autoescape=True) if subject.endswith("/") else Event.subject == subject
        found = found.where(same)
    found = _between(found, since, until)
    return [view(row) for row in act.session.scalars(found, execution_options=ACROSS if outside else {})]


@query("event.show", needs=NEEDS, doors=("api",))
def show_event(act: Act, *, position: int) -> EventView:
    """One event by its position; raises NotFound."""
    row = None
    if 0 < position <= HIGHEST:
        one = select(Event).where(Event.position == position)
        row = act.session.scalar(one)
        if row is None:
            shown = one.where(Event.project_id == "", Event.private_to.in_(("", act.actor.id)))
            row = act.session.scalar(shown, execution_options=ACROSS)
            if row is not None:
                require(act.workspace, "workspace.care")
    if row is None:
        raise NotFound(f"There is no event at {position:,}.", hint="Look at the list again.")
    return view(row)


def _between(found: Select[Any], since: datetime | None, until: datetime | None) -> Select[Any]:
    """Keep to a time; ids are in order of time, so that their index finds it without reading the rest."""
    if since is not None:
        moment = _within(since)
        found = found.where(Event.id >= _first_id(moment - SLACK), Event.made_at >= moment)
    if until is not None:
        moment = _within(until)
        found = found.where(Event.id <= _first_id(moment + SLACK), Event.made_at < moment)
    return found


def _within(moment: datetime) -> datetime:
    """A moment that every database can hold; one without a zone is UTC."""
    return min(max(moment if moment.tzinfo else moment.replace(tzinfo=UTC), FIRST), LAST)


def _first_id(moment: datetime) -> str:
    """The smallest id that a record made at this moment can have."""
    return str(UUID(int=int(moment.timestamp() * 1000) << 80))
