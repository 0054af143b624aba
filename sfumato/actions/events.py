"""Reading the log of events: who did what, in which order."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import select

from sfumato.actions.records import Event
from sfumato.actions.registry import Act, query
from sfumato.actions.workspace import Workspace

POSITION = "select value from workspace_info where key = 'events'"  # asked at each request, so in few words


@dataclass(frozen=True)
class EventView:
    """An event as everybody of the project may see it."""

    id: str
    position: int
    action: str
    subject: str
    summary: str
    made_by: str
    made_at: datetime
    details: dict[str, Any] = field(default_factory=dict)


def view(row: Event) -> EventView:
    """Copy a row into what may leave its session."""
    return EventView(
        row.id, row.position, row.action, row.subject, row.summary, row.made_by, row.made_at, row.details or {}
    )


def last_position(workspace: Workspace) -> int:
    """The position of the newest event of the whole workspace; it rises with each change, so it tells of one."""
    return int(workspace.db.value(POSITION) or 0)


@query("event.list", doors=("api",))
def list_events(
    act: Act,
    *,
    after: int | None = None,
    limit: int = 50,
    until: int | None = None,
    action: str = "",
    subject: str = "",
    made_by: str = "",
    oldest_first: bool = False,
) -> list[EventView]:
    """What was done, the newest first: of one kind (`action`, or its beginning with a dot), to one record, by somebody.

    `after` is the position of the last one seen; `until` is the highest that counts.
    """
    found = select(Event).limit(limit)
    found = found.order_by(Event.position if oldest_first else Event.position.desc())
    if after is not None:
        found = found.where(Event.position > after if oldest_first else Event.position < after)
    if until is not None:
        found = found.where(Event.position <= until)
    if action:
        same = Event.action.startswith(action, autoescape=True) if action.endswith(".") else Event.action == action
        found = found.where(same)
    if subject:
        found = found.where(Event.subject == subject)
    if made_by:
        found = found.where(Event.made_by == made_by)
    return [view(row) for row in act.session.scalars(found)]
