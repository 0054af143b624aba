"""`sfumato jobs`: what runs, how far it is, and how to stop it."""

from typing import TYPE_CHECKING, Annotated

import typer

from sfumato.cli.following import Sight, follow
from sfumato.cli.speech import answer, opened, pairs, table

if TYPE_CHECKING:
    from sfumato.jobs import JobView

app = typer.Typer(add_completion=False, no_args_is_help=True, help="See and stop what runs.")
JobId = Annotated[str, typer.Argument(metavar="JOB", help="Its id, or the end of it.")]


@app.command("list")
def list_(
    context: typer.Context,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="How many, the newest first.")] = 20,
) -> None:
    """List jobs, the newest first.

    Example: `sfumato jobs list --limit 5`
    """
    from sfumato.compliance.line import show_line
    from sfumato.jobs.queue import list_jobs

    with opened(context) as workspace:
        found = list_jobs(workspace, limit=limit)
        waits = any(job.status == "waiting" for job in found)
        line = {place.job: place.says for place in show_line(workspace)} if waits else {}

    def row(job: "JobView") -> tuple[str, ...]:
        sight = Sight(job.kind)
        sight.see(job)
        far = line.get(job.id) or sight.figures()
        return job.id[-6:], job.kind, job.status, far, f"{job.asked_at:%Y-%m-%d %H:%M}"

    headings = ["job", "what", "status", "how far", "asked"]
    answer(context, found, lambda: table(headings, map(row, found), empty="No jobs yet."))


@app.command()
def show(
    context: typer.Context,
    job: JobId,
    wait: Annotated[bool, typer.Option("--follow", help="Stay until it has ended.")] = False,
) -> None:
    """Show one job: what it does, how far it is, how it ended.

    Example: `sfumato jobs show 4f7a2c --follow`
    """
    from sfumato.compliance.line import show_line
    from sfumato.jobs.queue import get_job

    with opened(context) as workspace:
        found = get_job(workspace, job_id=job)
        if wait and not found.ended:
            found = follow(context, workspace, found)
        line = show_line(workspace) if found.status == "waiting" else []
    waits = next((place.says for place in line if place.job == found.id), "")
    answer(context, found, lambda: pairs(describe(found, waits)))


def describe(job: "JobView", waits: str = "") -> list[tuple[str, str]]:
    """Return what is known of a job as pairs of a word and what it says; `waits` is its place in the line."""
    sight = Sight(job.kind)
    sight.see(job)
    error = job.error or {}
    return [
        ("job", job.id),
        ("what", job.kind),
        ("status", "stopping" if job.stopping and not job.ended else job.status),
        ("how far", waits or sight.figures()),
        ("says", job.progress.get("say", "")),
        ("measured", sight.measured()),
        ("asked by", job.asked_by),
        ("asked", f"{job.asked_at:%Y-%m-%d %H:%M:%S} UTC"),
        ("attempt", str(job.attempt)),
        ("error", error.get("message", "")),
        ("what to do", error.get("hint", "")),
    ]


@app.command()
def cancel(context: typer.Context, job: JobId) -> None:
    """Stop a job: at once if it waits, at its next step if it runs. What it made so far is kept.

    Example: `sfumato jobs cancel 4f7a2c`
    """
    from sfumato.jobs.queue import cancel_job

    with opened(context) as workspace:
        stopped = cancel_job(workspace, job_id=job)
    endings = {"cancelled": "It is cancelled.", "running": "It stops at its next step. What it made is kept."}
    answer(context, stopped, lambda: endings.get(stopped.status, f"It had ended already: {stopped.status}."))
