"""Jobs: what runs and waits, what has ended, who works, and stopping."""

from typing import Any

from starlette.responses import Response

from sfumato.actions.registry import allowed
from sfumato.compliance.work import list_work, show_work
from sfumato.jobs.lanes import list_lanes
from sfumato.jobs.queue import cancel_job
from sfumato.web.addresses import Router
from sfumato.web.desks import Desk, Page
from sfumato.web.visits import Here
from sfumato.web.working import places, shown

router = Router()
DESK = Desk("jobs", "Jobs", "/jobs", "list-checks", order=80, needs="job.read", says="What runs, waits and has ended.")
OPEN, ENDED = 60, 20


@router.get("/jobs")
def show_jobs(visit: Here, after: str | None = None) -> Response:
    """What runs and waits, then what has ended, page by page."""
    workspace, me = visit.workspace, visit.me
    work = list_work(workspace, limit=OPEN)
    line = places(workspace, *(one.job for one in work))
    past = list_work(workspace, ended=True, after=after, limit=ENDED + 1)
    older = f"/jobs?after={past[ENDED - 1].id}#ended" if len(past) > ENDED else ""
    return visit.render(
        "jobs/list.html", page=Page("Jobs", "jobs"), lanes=list_lanes(workspace), after=after or "",
        open=[shown(one, me, line) for one in work],
        past=[shown(one, me) for one in past[:ENDED]], older=older,
    )  # fmt: skip


@router.get("/jobs/running")
def show_running(visit: Here) -> Response:
    """The mark at the top of every page that says how many jobs run."""
    return visit.render("jobs/running.html", page=Page("Jobs", "jobs"))


@router.get("/jobs/{job_id}")
def show_job(visit: Here, job_id: str) -> Response:
    """One job: how far, how fast, when done, and what came of it."""
    card = show_work(visit.workspace, job_id=job_id)
    one = shown(card, visit.me, places(visit.workspace, card.job))
    page = Page(card.title, "jobs", crumbs=(("Jobs", "/jobs"), (card.title, "")))
    lane = next((lane for lane in list_lanes(visit.workspace) if lane.name == card.job.lane), None)
    may_stop = allowed(visit.workspace, "job.cancel")
    return visit.render(
        "jobs/page.html", page=page, one=one, lane=lane, may_stop=may_stop, came=what_came(card.job.result or {})
    )


def what_came(result: dict[str, Any]) -> str:
    """What a job says that it did, and what it could not take, by reason."""
    left = ", ".join(f"{n:,} {reason}" for reason, n in (result.get("left_out") or {}).items())
    said = str(result.get("say", ""))
    return f"{said} Could not be taken: {left}." if left else said


@router.post("/jobs/{job_id}/stop")
def stop(visit: Here, job_id: str) -> Response:
    """Stop a job at its next step."""
    return visit.go(f"/jobs/{cancel_job(visit.workspace, job_id=job_id).id}")
