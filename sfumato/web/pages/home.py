"""Home: the pipeline as stations, what waits for whoever looks, the newest pictures, and what was done."""

from dataclasses import replace
from datetime import datetime
from itertools import groupby
from typing import NamedTuple

from starlette.responses import Response

from sfumato.actions.events import list_events
from sfumato.compliance.overview import Overview, show_overview
from sfumato.generation.pictures import list_images
from sfumato.jobs.lanes import list_lanes
from sfumato.people.asks import asks_waiting
from sfumato.web.addresses import Router
from sfumato.web.asking import cards
from sfumato.web.desks import Desk, Page
from sfumato.web.kept import kept
from sfumato.web.pictures import tiles_of
from sfumato.web.sentences import Sentence, sentences
from sfumato.web.visits import Here, Visit
from sfumato.web.words import ago, plural

router = Router()
DESK = Desk("home", "Home", "/", "house", order=0, says="What there is, what waits, and what was done.")
PATIENCE = 0.5  # seconds that Home may take to count, so that it shows what one has just done
PICTURES, ASKS, ACTIVITY, READ = 12, 6, 10, 60
KEYS = (("/", "search everything"), ("← → ↑ ↓", "move among the pictures"), ("Enter", "open one"))


class Station(NamedTuple):
    """A station of the pipeline, as its macro takes it."""

    title: str
    href: str
    n: int | str
    unit: str
    last: str
    waits: str
    icon: str


@router.get("/")
def show_home(visit: Here) -> Response:
    """The whole project at a glance."""
    workspace = visit.workspace
    whole = kept(workspace, "overview", lambda: show_overview(workspace), slow=PATIENCE)
    return visit.render(
        "home/page.html",
        page=Page("Home", "home", keys=KEYS),
        stations=stations(whole, visit),
        waiting=cards(visit, asks_waiting(workspace, limit=ASKS)),
        lanes=list_lanes(workspace),
        pictures=tiles_of(list_images(workspace, limit=PICTURES)),
        whole=whole,
        done=together(sentences(workspace, list_events(workspace, limit=READ), me=visit.me.id))[:ACTIVITY],
    )


@router.get("/activity")
def show_activity(visit: Here, before: int | None = None) -> Response:
    """All that was done, newest first, page by page."""
    rows = list_events(visit.workspace, after=before, limit=51)
    older = f"/activity?before={rows[49].position}" if len(rows) > 50 else ""
    page = Page("Activity", "home", crumbs=(("Home", "/"), ("Activity", "")))
    done = sentences(visit.workspace, rows[:50], me=visit.me.id)
    return visit.render("home/activity.html", page=page, done=done, older=older, newest="/activity" if before else "")


def together(done: list[Sentence]) -> list[Sentence]:
    """Tell what somebody did several times in a row once, with how many more."""
    found: list[Sentence] = []
    for _, same in groupby(done, key=lambda one: (one.by, one.action)):
        first, *more = same
        found.append(replace(first, rest=f"{first.rest} and {len(more)} more") if more else first)
    return found


def stations(whole: Overview, visit: Visit) -> list[Station]:
    """The stations whose desks this studio has, in the order of the pipeline."""
    there = {desk.name: desk.path for desk in visit.house.desks}
    training = f"{plural(whole.training, 'run')} under way" if whole.training else ""
    judge = max(whole.drawn - whole.judged, 0)
    live = whole.live or "–"
    found = [
        (
            "data",
            Station(
                "Data",
                "",
                whole.pictures,
                f"{_unit(whole.pictures, 'picture')} in {plural(whole.datasets, 'dataset')}",
                _last(whole.data_at),
                "",
                "database",
            ),
        ),
        (
            "train",
            Station(
                "Train", "", whole.runs, _unit(whole.runs, "run"), training or _last(whole.runs_at), "", "activity"
            ),
        ),
        (
            "models",
            Station("Models", "", whole.models, _unit(whole.models, "model"), _last(whole.models_at), "", "box"),
        ),
        (
            "create",
            Station("Create", "", whole.drawn, _unit(whole.drawn, "picture"), _last(whole.drawn_at), "", "sparkles"),
        ),
        (
            "review",
            Station(
                "Review",
                "",
                whole.judged,
                "judged",
                _last(whole.judged_at),
                f"{judge:,} to look at" if judge else "",
                "scale",
            ),
        ),
        (
            "models",
            Station(
                "Live",
                "",
                live,
                "what others may use" if whole.live else "no model is live yet",
                _last(whole.live_at),
                "",
                "rocket",
            ),
        ),
    ]
    return [one._replace(href=there[desk]) for desk, one in found if desk in there]


def _unit(n: int, one: str) -> str:
    return one if n == 1 else f"{one}s"


def _last(at: datetime | None) -> str:
    return ago(at) if at else ""
