"""Jobs as cards show them: how fast, how long still, and what is said of them."""

from dataclasses import dataclass
from typing import Any

from sfumato.actions import Actor, Workspace
from sfumato.compliance.line import Place, show_line
from sfumato.compliance.work import JobCard
from sfumato.db import now
from sfumato.jobs.line import seconds_left
from sfumato.jobs.queue import JobView
from sfumato.web.places import address_of
from sfumato.web.words import duration, number

ORPHANED = "The worker that had this has ended or does not answer. The next goes on with it; what is finished is kept."
FOLLOWED = "An earlier worker ended before it was done. This one went on from there."
NEAR = 3  # places up to which a job that waits is told anew with every step of what it waits for
WELL = {"done": "Done", "cancelled": "Stopped. What it made so far is kept."}


@dataclass(frozen=True)
class Shown:
    """A job as its card takes it."""

    id: str
    title: str
    state: str
    href: str
    about: str
    by: str
    done: float
    total: float
    unit: str
    say: str
    pace: str
    left: str
    stop: str
    hint: str
    why_not: str
    job: JobView
    hands: str = ""
    follows: str = ""  # what it waits for besides, as events name it


def places(workspace: Workspace, *jobs: JobView | None) -> dict[str, Place]:
    """Where those of the jobs that wait stand in the line, by their ids; nothing is looked up where none waits."""
    if not any(one is not None and one.status == "waiting" for one in jobs):
        return {}
    return {one.job: one for one in show_line(workspace)}


def follows(place: Place | None) -> str:
    """The running jobs whose events change what is said of a place; of those far behind none."""
    return " ".join(f"job/{one}" for one in place.busy[:2]) if place and place.place <= NEAR else ""


def shown(card: JobCard, me: Actor, line: dict[str, Place] | None = None) -> Shown:
    """A job's card for whoever looks, with its place where it waits."""
    place = (line or {}).get(card.job.id)
    job, progress = card.job, card.job.progress
    pace, left = pace_of(job)
    mine = job.asked_by == me.id or "admin" in me.roles
    stop = f"/jobs/{job.id}/stop" if mine and not job.ended and not job.stopping else ""
    return Shown(
        job.id, card.title, job.status, f"/jobs/{job.id}", address_of(card.about), card.asked_by_name,
        float(progress.get("done") or 0), float(progress.get("total") or 0), str(progress.get("unit") or ""),
        place.says if place else _say(job), pace, left, stop, str((job.error or {}).get("hint", "")),
        "" if mine or job.ended else f"{card.asked_by_name} or an admin can stop it.", job,
        hands_of(job), follows(place),
    )  # fmt: skip


def pace_of(job: JobView) -> tuple[str, str]:
    """How fast a job goes and how long it still takes, in words; "" where that is not known."""
    if job.status != "running" or job.orphaned:
        return "", ""
    extra: dict[str, Any] = job.progress.get("extra") or {}
    left = seconds_left(job, now())
    if extra.get("images_per_second"):
        return f"{number(extra['images_per_second'])} pictures a second", f"{duration(left)} left" if left else ""
    done = float(job.progress.get("done") or 0)
    if not done or job.started_at is None:
        return "", ""
    spent = max((now() - job.started_at).total_seconds(), 0.001)
    speed = done / spent
    unit = job.progress.get("unit") or "steps"
    pace = f"{number(round(speed))} {unit} a second" if speed >= 2 else f"{number(round(60 * speed))} {unit} a minute"
    return pace, f"about {duration(left)} left" if left else ""


def hands_of(job: JobView) -> str:
    """What is said of the workers of a job that lost one; "" where all went as it should."""
    if job.ended or job.attempt < 1:
        return ""
    if job.orphaned:
        return ORPHANED
    return FOLLOWED if job.status == "running" and job.attempt > 1 else ""


def _say(job: JobView) -> str:
    if job.status == "failed":
        return str((job.error or {}).get("message", "It failed."))
    if job.status in WELL:
        return WELL[job.status]
    if job.stopping:
        return "Stops at its next step"
    said = str(job.progress.get("say") or "")
    return said[:1].upper() + said[1:]
