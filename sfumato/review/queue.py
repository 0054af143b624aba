"""What waits to be judged by me."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import literal, select

from sfumato.actions import Act, query
from sfumato.db.kinds import kinds
from sfumato.errors import unknown
from sfumato.review.records import Judgement
from sfumato.review.standing import withdrawn

MOST = 200


@dataclass(frozen=True)
class Queued:
    """One record that I have not judged yet; `picture` is the SHA-256 of what shows it, "" if there is none."""

    id: str
    ref: str
    title: str
    picture: str
    made_by: str
    made_at: datetime


@query("review.queue", doors=("api", "cli"))
def queue(act: Act, *, kind: str = "image", after: str | None = None, limit: int = 48) -> list[Queued]:
    """Pictures, or records of another kind, that I have not judged yet, newest first; `after` is the last id seen."""
    table = kinds().get(kind)
    if table is None:
        raise unknown("kind of record", kind, kinds())
    mine = (Judgement.made_by == act.actor.id, ~Judgement.withdraws, ~withdrawn())
    said = select(Judgement.id).where(Judgement.subject == literal(f"{kind}/") + table.id, *mine)
    which = select(table).where(~said.exists())
    if after is not None:
        which = which.where(table.id < after)
    found = []
    for row in act.session.scalars(which.order_by(table.id.desc()).limit(min(max(limit, 1), MOST))):
        told = row.describe()
        found.append(Queued(row.id, row.ref, told.title, told.picture, row.made_by, row.made_at))
    return found
