"""Editing what others may be editing: whoever comes second is told who was first, and overwrites nothing."""

from typing import TypeVar

from sfumato.actions import Act
from sfumato.db import now
from sfumato.errors import Conflict
from sfumato.people.names import names_in
from sfumato.people.records import Edited

Row = TypeVar("Row", bound=Edited)


def edit(act: Act, row: Row, version: int | None) -> Row:
    """Take a row for a change by whoever saw its `version` (None: whatever it is); raises Conflict if it is stale."""
    hold(act, row, version)
    row.version += 1
    row.changed_by, row.changed_at = act.actor.id, now()
    return row


def hold(act: Act, row: Edited, version: int | None) -> None:
    """Keep others from changing a row until the commit; raises Conflict where it is not as it was seen any more."""
    act.session.refresh(row, with_for_update=True)  # nobody else changes it between this look and the commit
    if version is not None and version != row.version:
        who = names_in(act.session, [row.changed_by])[row.changed_by] if row.changed_by else "Somebody"
        raise Conflict(
            f"{who} changed this on {row.changed_at:%d %B at %H:%M} UTC, after you had opened it. "
            "Nothing was overwritten.",
            hint="Look at their change, and make yours again if it is still wanted.",
        )
