"""Asks as pages show them: overdue in words, what came of each, and the records they are about."""

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time

from sfumato.db import now
from sfumato.people.asks import AskView, ReplyView
from sfumato.web.shown import Shown, shown
from sfumato.web.visits import Visit

DID = {"answered": "answered", "declined": "handed it back", "withdrawn": "took it back"}
STATES = {"open": "open", "closed": "closed", "withdrawn": "withdrawn"}


@dataclass(frozen=True)
class Came:
    """One thing that came of an ask, with what it rests on."""

    reply: ReplyView
    did: str
    evidence: Shown | None


@dataclass(frozen=True)
class Card:
    """An ask as its card takes it."""

    id: str
    href: str
    question: str
    made_by: str
    to: str
    made_at: datetime
    due: datetime | None
    late: bool
    overdue: str
    state: str
    outcome: str
    ask: AskView
    about: list[tuple[str, str, str]] = field(default_factory=list)
    came: list[Came] = field(default_factory=list)


def cards(visit: Visit, asks: list[AskView]) -> list[Card]:
    """Cards of asks, with one look for all records that they name."""
    refs = {ref for one in asks for ref in one.refs} | {r.evidence for one in asks for r in one.replies if r.evidence}
    known = {one.ref: one for one in shown(visit.workspace, sorted(refs))}
    return [_card(visit, one, known) for one in asks]


def overdue(due: date | None, today: date) -> str:
    """How late something is, in words; "" while it is not."""
    days = (today - due).days if due else 0
    if days <= 0:
        return ""
    return "overdue since yesterday" if days == 1 else f"overdue by {days:,} days"


def _card(visit: Visit, one: AskView, known: dict[str, Shown]) -> Card:
    me = visit.me.id
    day = date.fromisoformat(one.due) if one.due else None
    late = overdue(day, now().date()) if one.status == "open" else ""
    came = [Came(reply, DID.get(reply.kind, reply.kind), known.get(reply.evidence)) for reply in one.replies]
    last = came[-1] if came else None
    who = "You" if last and last.reply.by == me else last.reply.by_name if last else ""
    outcome = f"{who} {last.did}: {last.reply.words}".removesuffix(": ") if last else ""
    to = "you" if one.to == me else one.to_name
    return Card(
        one.id, f"/asks/{one.id}", one.question, "You" if one.by == me else one.by_name, to, one.made_at,
        datetime.combine(day, time(), UTC) if day else None, bool(late), late, STATES.get(one.status, one.status),
        outcome, one, [known[ref].pin for ref in one.refs], came,
    )  # fmt: skip
