"""Audit: everything that was done, as a table that can be filtered, read part by part, and taken away as CSV."""

import csv
import io
import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import Query
from starlette.responses import Response, StreamingResponse

from sfumato.actions import Workspace
from sfumato.actions.audit import NEEDS, audit, show_event
from sfumato.actions.events import EventView
from sfumato.actions.registry import ACTIONS, allowed, require
from sfumato.errors import InvalidInput
from sfumato.people.members import list_members
from sfumato.people.names import names_of
from sfumato.web.addresses import Router
from sfumato.web.desks import Desk, Page
from sfumato.web.places import address_of
from sfumato.web.sentences import sentences
from sfumato.web.shown import ref_of, shown
from sfumato.web.visits import Here, Visit

router = Router()
DESK = Desk(
    "audit", "Audit", "/audit", "scroll-text", order=95, roles=("responsible-AI advisor",), needs=NEEDS,
    says="Everything that was done, by whom and when.",
)  # fmt: skip
PART, AT_ONCE = 50, 1_000
COLUMNS = ("position", "when", "who", "person", "action", "what", "record", "details")
FORMULA = ("=", "+", "-", "@", "\t", "\r")  # with which a spreadsheet would take a text for a formula
Word = Annotated[str, Query(max_length=200)]


@dataclass(frozen=True)
class Sieve:
    """What of the log is wanted, as the form says it."""

    by: str = ""
    action: str = ""
    record: str = ""
    since: str = ""
    until: str = ""
    outside: str = ""

    def options(self) -> dict[str, Any]:
        """The same as the query takes it; raises InvalidInput for a day that is none."""
        until = _day(self.until)
        return {
            "made_by": self.by, "action": self.action, "subject": ref_of(self.record) if self.record else "",
            "since": _day(self.since), "until": until + timedelta(days=1) if until else None,
            "outside": bool(self.outside),
        }  # fmt: skip

    def address(self, path: str = "/audit", **more: Any) -> str:
        """The address that shows just this."""
        said = {name: value for name, value in (vars(self) | more).items() if value}
        return f"{path}?{urlencode(said)}" if said else path


def _day(said: str) -> datetime | None:
    try:
        return datetime.combine(date.fromisoformat(said), time(), UTC) if said.strip() else None
    except ValueError as problem:
        raise InvalidInput(f"'{said[:20]}' is no day.", hint="Write it as 2026-11-24.") from problem


@router.get("/audit")
def show_audit(
    visit: Here, *, by: Word = "", action: Word = "", record: Word = "", since: Word = "", until: Word = "",
    outside: Word = "", after: Annotated[int | None, Query(ge=1)] = None,
) -> Response:  # fmt: skip
    """The newest part of what is wanted of the log, or the part after the last one seen."""
    sieve = Sieve(by, action, record, since, until, outside)
    rows = audit(visit.workspace, after=after, limit=PART + 1, **sieve.options())
    part = rows[:PART]
    subjects = {one.ref: one for one in shown(visit.workspace, sorted({row.subject for row in part if row.subject}))}
    return visit.render(
        "audit/page.html", page=Page("Audit", "audit"), sieve=sieve, rows=part, subjects=subjects,
        told=sentences(visit.workspace, part), members=list_members(visit.workspace), actions=sorted(ACTIONS),
        rooms=sorted({f"{name.partition('.')[0]}." for name in ACTIONS}), newest=sieve.address() if after else "",
        older=sieve.address(after=part[-1].position) if len(rows) > PART else "", as_csv=sieve.address("/audit.csv"),
        cares=allowed(visit.workspace, "workspace.care"), as_call=replace(sieve, record="").address("/api/v1/audit"),
    )  # fmt: skip


@router.get("/audit.csv")
def export(
    visit: Here, *, by: Word = "", action: Word = "", record: Word = "", since: Word = "", until: Word = "",
    outside: Word = "",
) -> Response:  # fmt: skip
    """The same as CSV, sent as it is read; no cell of it can act as a formula."""
    require(visit.workspace, NEEDS)
    wanted = Sieve(by, action, record, since, until, outside).options()
    audit(visit.workspace, limit=1, **wanted)  # refused before anything is sent
    headers = {"Content-Disposition": 'attachment; filename="audit.csv"'}
    return StreamingResponse(_lines(visit.workspace, wanted), media_type="text/csv; charset=utf-8", headers=headers)


def _lines(workspace: Workspace, wanted: dict[str, Any]) -> Iterator[str]:
    """The log as lines of CSV, read a thousand at a time."""
    yield _line(COLUMNS)
    after: int | None = None
    while rows := audit(workspace, after=after, limit=AT_ONCE, **wanted):
        names = names_of(workspace, {row.made_by for row in rows})
        yield "".join(_line(_cells(row, names[row.made_by])) for row in rows)
        after = rows[-1].position


def _cells(row: EventView, name: str) -> tuple[str, ...]:
    details = json.dumps(row.details, ensure_ascii=False, sort_keys=True, default=str) if row.details else ""
    when = row.made_at.astimezone(UTC).isoformat(timespec="seconds")
    return (str(row.position), when, name, row.made_by, row.action, row.summary, row.subject, details)


def _line(cells: tuple[str, ...]) -> str:
    text = io.StringIO()
    csv.writer(text).writerow([f"'{cell}" if cell.startswith(FORMULA) else cell for cell in cells])
    return text.getvalue()


@router.get("/audit/{position}")
def show_one(visit: Here, position: int) -> Response:
    """One event with its details, as a page or for the inspector."""
    return _event(visit, show_event(visit.workspace, position=position))


def _event(visit: Visit, row: EventView) -> Response:
    title = f"Event {row.position:,}"
    inside = visit.header("x-part") != ""
    return visit.render(
        "audit/inside.html" if inside else "audit/event.html",
        page=Page(title, "audit", (("Audit", "/audit"), (title, ""))),
        row=row, told=sentences(visit.workspace, [row])[0], href=address_of(row.subject), title=title,
        details=json.dumps(row.details, indent=2, ensure_ascii=False, default=str) if row.details else "",
    )  # fmt: skip
