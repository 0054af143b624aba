"""The library's door: the verbs of the command line for scripts and notebooks. Use them as `sfumato.NAME`."""

from collections.abc import Callable
from pathlib import Path

from sfumato.actions import Workspace
from sfumato.errors import Cancelled, SfumatoError
from sfumato.jobs import JobView
from sfumato.jobs.queue import cancel_job, get_job, list_jobs, wait_for_job

__all__ = ["cancel_job", "get_job", "list_jobs", "open", "wait"]


def open(path: str | Path | None = None, *, database_url: str | None = None) -> Workspace:
    """Open the workspace in a folder, making it if need be; without a path, the one of your settings."""
    return Workspace.open(path, database_url=database_url)


def wait(workspace: Workspace, job: JobView, *, on_progress: Callable[[JobView], None] | None = None) -> JobView:
    """Wait until a job is done, starting a worker for it if none runs; raises the error that it ended with."""
    ended = wait_for_job(workspace, job.id, on_progress=on_progress)
    if ended.status == "cancelled":
        raise Cancelled("It was stopped. What it made so far is kept.")
    if ended.error:
        raise SfumatoError(ended.error["message"], hint=ended.error["hint"])
    return ended
