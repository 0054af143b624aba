"""Waiting on a job: a live bar with an honest time left, and a question when somebody presses Ctrl-C."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer
from rich.console import Group
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from sfumato.cli.pace import Pace, duration
from sfumato.cli.speech import asked, console

if TYPE_CHECKING:
    from sfumato.actions import Workspace
    from sfumato.jobs import JobView

ANEW = 3.0  # seconds between two looks at the line that a job waits in
EVERY = 15.0  # seconds between lines where no live bar can be shown
FIGURES = {
    "images_per_second": "{:,.0f} images/s",
    "tflops": "{:.3g} TFLOP/s",
    "loss": "loss {:.4f}",
}


def follow_child(context: typer.Context, workspace: "Workspace", job: "JobView") -> "JobView":
    """Do a job by a child of this process and return it; raises the error that it ended with, or Cancelled."""
    from sfumato.jobs.nearby import work_in_child
    from sfumato.jobs.queue import ended_well

    with shown(context, job, workspace.path) as see:
        return ended_well(work_in_child(workspace, job, on_progress=see))


def follow(context: typer.Context, workspace: "Workspace", job: "JobView", *, nearby: bool = False) -> "JobView":
    """Wait until a job is done and return it; raises the error that it ended with, or Cancelled.

    On Ctrl-C a person at a terminal is asked whether to leave it running; elsewhere it is left running.
    A short job may be done `nearby`, in this process, when no worker serves it.
    """
    from sfumato.jobs.nearby import work_nearby
    from sfumato.jobs.queue import ended_well, wait_for_job

    try:
        with shown(context, job, workspace.path, place=lambda: place_of(workspace, job.id)) as see:
            if nearby:
                job = work_nearby(workspace, job, on_progress=see)
            else:
                job = wait_for_job(workspace, job.id, on_progress=see)
    except KeyboardInterrupt:
        leave_or_cancel(workspace, job)
        raise typer.Exit(130) from None
    return ended_well(job)


def leave_or_cancel(workspace: "Workspace", job: "JobView") -> None:
    """Ask whether an interrupted job is left running or cancelled, and do so."""
    from sfumato.jobs.queue import cancel_job, get_job, somebody_works, start_worker

    err = console(stderr=True)
    short = job.id[-6:]
    if err.is_terminal and not typer.confirm(f"Leave {job.kind} running in the background?", default=True, err=True):
        cancel_job(workspace, job_id=job.id)
        err.print("Stopping at its next step. What it made so far is kept.")
    else:
        if get_job(workspace, job_id=job.id).status == "waiting" and not somebody_works(workspace, job):
            start_worker(workspace, job.id)
        err.print(f"It goes on. `sfumato jobs show {short} --follow` shows it, `sfumato jobs cancel {short}` stops it.")


def place_of(workspace: "Workspace", job_id: str) -> str:
    """Say where a job stands in the line, "" where it does not wait."""
    from sfumato.compliance.line import show_line

    return next((one.says for one in show_line(workspace) if one.job == job_id), "")


@contextmanager
def shown(
    context: typer.Context, job: "JobView", folder: Path | None = None, *, place: Callable[[], str] | None = None
) -> Iterator[Any]:
    """Show a job's progress on stderr as it comes: a live bar, lines in a pipe, nothing with --json.

    Files that the job has made so far are named below `folder`; `place` says where it stands while it waits.
    """
    sight = Sight(job.kind, folder, place)
    err = console(stderr=True)
    if asked(context).json:
        yield sight.see
    elif not err.is_terminal:
        yield Lines(sight).see
    else:
        with Live(sight, console=err, refresh_per_second=4, transient=True):
            yield sight.see


class Sight:
    """What is known of one job, drawn as a bar with words and figures."""

    def __init__(self, kind: str, folder: Path | None = None, place: Callable[[], str] | None = None) -> None:
        self.title = kind.replace(".", " ")
        self.folder = folder
        self.place = place
        self.waits, self.looked = "", -ANEW
        self.progress: dict[str, Any] = {}
        self.status = "waiting"
        self.pace = Pace()

    def see(self, job: "JobView") -> None:
        """Take in the job's state."""
        self.progress, self.status = job.progress, job.status
        if self.progress:
            self.pace.add(time.monotonic(), self.progress["done"])
        if self.place and self.status == "waiting" and time.monotonic() - self.looked >= ANEW:
            self.waits, self.looked = self.place(), time.monotonic()

    def figures(self) -> str:
        """Say how far, how fast, how long, and the figures that the job gives."""
        return " · ".join(filter(None, [self.far(), *self.speeds(), self.left()]))

    def far(self) -> str:
        """Say how far it is: "1,824/3,000 images"."""
        if not self.progress:
            waits = self.waits or "waiting for a worker"
            return {"waiting": waits, "running": "starting"}.get(self.status, self.status)
        done, total, unit = (self.progress[name] for name in ("done", "total", "unit"))
        return f"{done:,.0f}/{total:,.0f} {unit}".strip() if total else f"{done:,.0f} {unit}".strip()

    def speeds(self) -> list[str]:
        """Say how fast it goes, and what else it measures."""
        rate = self.pace.rate()
        extra = self.progress.get("extra") or {}
        said = [form.format(extra[name]) for name, form in FIGURES.items() if extra.get(name)]
        if rate and "images_per_second" not in extra:
            said.insert(0, f"{rate:,.0f} per s" if rate >= 10 else f"{rate:.1f} per s")
        return said

    def measured(self) -> str:
        """Say the held-out loss, where there is one."""
        found = (self.progress.get("extra") or {}).get("held_out")
        return by_noise(found) if found else ""

    def left(self) -> str:
        """Say how much time is left, where there is an end to come: as the job says itself, else by its last minute."""
        total, said = self.progress.get("total"), (self.progress.get("extra") or {}).get("seconds_left")
        if not total or self.progress["done"] >= total:
            return ""
        return duration(self.pace.left(total) if said is None else float(said))

    def details(self) -> list[str]:
        """Say what the job does just now, its held-out loss by noise, and where its newest preview lies."""
        extra = self.progress.get("extra") or {}
        said = [" · ".join(filter(None, [self.progress.get("say"), *self.speeds()]))]
        said.append(self.measured())
        if extra.get("preview") and self.folder:
            said.append(f"newest preview: {self.folder / extra['preview']}")
        return [line for line in said if line]

    def __rich__(self) -> Group:
        total, done = self.progress.get("total") or None, self.progress.get("done", 0)
        line = Table.grid(padding=(0, 1))
        bar = ProgressBar(total=total, completed=done, width=30, pulse=total is None)
        line.add_row(Text(self.title, style="bold"), bar, Text(" · ".join(filter(None, [self.far(), self.left()]))))
        return Group(line, *(Text(f"  {said}", style="dim") for said in self.details()))


def by_noise(held_out: dict[str, float]) -> str:
    """Say held-out figures: a loss at times ("t=0.1", where 1 is clean) by how much is noise, others by their names."""
    if not all(level.startswith("t=") for level in held_out):
        return "held-out " + ", ".join(f"{level} {value:.2f}" for level, value in held_out.items())
    figures = [(1 - float(level.removeprefix("t=")), loss) for level, loss in held_out.items()]
    said = ", ".join(f"{loss:.3f} at {share:.0%}" for share, loss in sorted(figures, reverse=True))
    return f"held-out loss {said} noise"


class Lines:
    """A job's progress as a line now and then, for logs and pipes."""

    def __init__(self, sight: Sight) -> None:
        self.sight = sight
        self.told = time.monotonic()

    def see(self, job: "JobView") -> None:
        """Take in the job's state, and print a line when the last one is old."""
        self.sight.see(job)
        if time.monotonic() - self.told >= EVERY:
            self.told = time.monotonic()
            head = " · ".join(filter(None, [f"{self.sight.title}: {self.sight.far()}", self.sight.left()]))
            line = " · ".join([head, *self.sight.details()])
            console(stderr=True).print(line, markup=False)
