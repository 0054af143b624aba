"""What surrounds every page: who looks, in which project, the desks, what runs and what waits."""

import threading
import time
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, select

from sfumato.actions import Workspace
from sfumato.actions.events import last_position
from sfumato.actions.permissions import may
from sfumato.actions.registry import allowed
from sfumato.jobs.records import Job
from sfumato.people.asks import asks_waiting
from sfumato.people.notices import unread
from sfumato.people.projects import list_projects
from sfumato.people.tour import show_tour
from sfumato.web.desks import Desk, Page
from sfumato.web.touring import Strip, strip_of

if TYPE_CHECKING:
    from sfumato.web.visits import Visit

FRESH = 5.0  # seconds that the counts of a page may be old
SOON = 0.2  # the same while jobs run, whose end nobody writes into the log
LOOKS_AS = "sfumato_looks_as"
THEME = "sfumato_theme"
RAIL = "sfumato_rail"


@dataclass(frozen=True)
class Named:
    """A project by its name."""

    id: str
    name: str
    archived: bool = False


@dataclass(frozen=True)
class Me:
    """Who looks at the page."""

    id: str
    name: str
    roles: tuple[str, ...]
    looks_as: str
    project: Named
    projects: tuple[Named, ...]
    can_sign_out: bool


@dataclass(frozen=True)
class Shown:
    """A desk as this person sees it."""

    name: str
    title: str
    href: str
    icon: str
    allowed: bool
    mine: bool
    why: str


@dataclass(frozen=True)
class Counts:
    """What is counted for the frame."""

    running: int
    waits: int
    projects: tuple[Named, ...]
    notices: int
    tour: Strip | None


@dataclass
class Kept:
    """What was counted, after which event, when, and whether somebody counts it anew."""

    position: int
    at: float
    counts: Counts
    renewed: bool = False


_kept: dict[tuple[str, str, str], Kept] = {}
_lock = threading.Lock()
_turns = tuple(threading.Lock() for _ in range(16))


def counts_of(workspace: Workspace, position: int | None = None) -> Counts:
    """What runs and what waits, counted anew when something has happened, and every five seconds."""
    position = last_position(workspace) if position is None else position
    with _turns[hash(_whose(workspace)) % len(_turns)]:  # of many who come at once one counts, and the others look
        kept, moment = _kept.get(_whose(workspace)), time.monotonic()
        if kept is not None and kept.position == position and moment < kept.at + _fresh(kept):
            return kept.counts
        counts = _counted(workspace)
        with _lock:
            if len(_kept) > 5_000:
                _kept.clear()
            _kept[_whose(workspace)] = Kept(position, moment, counts)
    return counts


def _counted(workspace: Workspace) -> Counts:
    with workspace.read() as session:
        open_jobs = select(func.count(Job.id)).where(Job.status.in_(("waiting", "running")))
        running = session.scalar(open_jobs) or 0
    projects = [Named(one.id, one.name, bool(one.archived_at)) for one in list_projects(workspace, archived=True)]
    shown = [one for one in projects if not one.archived or one.id == workspace.project]
    waits, notices, tour = _told(workspace)
    return Counts(running, waits, tuple(shown), notices, tour)


def counts_at_hand(workspace: Workspace, position: int) -> Counts | None:
    """What was counted since the last event, None where somebody has to count: after five seconds one does, for all."""
    kept = _kept.get(_whose(workspace))
    if kept is None or kept.position != position:
        return None
    age, fresh = time.monotonic() - kept.at, _fresh(kept)
    if age >= fresh and not kept.renewed:
        kept.renewed = True
        return None
    return kept.counts if age < 2 * fresh else None


def _fresh(kept: Kept) -> float:
    return SOON if kept.counts.running else FRESH


def _whose(workspace: Workspace) -> tuple[str, str, str]:
    return str(workspace.path), workspace.actor.id, workspace.project


def _told(workspace: Workspace) -> tuple[int, int, Strip | None]:
    """How many asks wait, how many notices are unread, and where on the tour somebody is, if they are on it."""
    if not allowed(workspace, "record.read"):
        return 0, 0, None
    on = show_tour(workspace).state == "on"
    return len(asks_waiting(workspace)), unread(workspace, limit=1).count, strip_of(workspace) if on else None


def frame_of(visit: "Visit", page: Page) -> dict[str, Any]:
    """The context that every template has; for a visitor it is only the page's own."""
    cookies = visit.cookies
    around: dict[str, Any] = {
        "visit": visit, "page": replace(page, crumbs=page.crumbs or ((page.title, ""),), here=page.here or visit.path),
        "csrf": visit.csrf, "theme": cookies.get(THEME, ""), "rail": cookies.get(RAIL, ""), "me": None,
        "since": visit.position,
    }  # fmt: skip
    known = visit.known
    if known is None:
        return around
    counts = visit.counts
    actor, project = visit.me, visit.workspace.project
    looks_as = cookies.get(LOOKS_AS, "")
    looks_as = looks_as if looks_as in actor.roles else ""
    named = next((one for one in counts.projects if one.id == project), Named("", "No project yet"))
    me = Me(actor.id, actor.name, actor.roles, looks_as, named, counts.projects, known.by == "session")
    desks = desks_of(visit.house.desks, actor.roles, looks_as)
    return around | {
        "me": me, "desks": desks, "running": counts.running, "waits": counts.waits, "notices": counts.notices,
        "tour": counts.tour,
    }  # fmt: skip


def framed_by(visit: "Visit") -> tuple[Any, ...]:
    """All that the frame of a page depends on, but for the page itself and the newest event."""
    known, cookies = visit.known, visit.cookies
    chosen = cookies.get(THEME, ""), cookies.get(RAIL, ""), cookies.get(LOOKS_AS, "")
    return visit.path, known, visit.workspace.project, visit.counts, visit.token(), chosen


@lru_cache(maxsize=256)
def desks_of(desks: tuple[Desk, ...], roles: tuple[str, ...], looks_as: str) -> tuple[Shown, ...]:
    """All desks as a person of these roles sees them."""
    return tuple(shown(desk, roles, looks_as) for desk in desks)


def shown(desk: Desk, roles: tuple[str, ...], looks_as: str) -> Shown:
    """A desk with whether this person may use it, and whether it is their own."""
    allowed = may(roles, desk.needs)
    own = looks_as in desk.roles if looks_as else bool(set(desk.roles) & set(roles))
    why = "" if allowed else f"You need the permission '{desk.needs}'. An admin of the project can give it."
    return Shown(desk.name, desk.title, desk.path, desk.icon, allowed, own, why)
