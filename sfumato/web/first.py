"""The first start: a project that is alive, without fetching anything and without anybody waiting for it."""

import threading
from contextlib import suppress

from sfumato.actions import Actor, Workspace
from sfumato.actions.events import last_position
from sfumato.data.collect import collect
from sfumato.data.freeze import freeze
from sfumato.errors import SfumatoError
from sfumato.jobs.queue import get_job
from sfumato.people.records import STUDIO

NAME = "emoji-sample"


def bring_to_life(workspace: Workspace, over: threading.Event) -> bool:
    """Collect and freeze the sample that ships, where nothing was ever done before; returns at once."""
    if last_position(workspace) > 0:
        return False
    itself = workspace.as_actor(Actor(STUDIO, "The studio", ("admin",), workspace.project))
    job = collect(itself, source="sample", into=NAME)
    threading.Thread(target=_freeze_after, args=(itself, job.id, over), name="first", daemon=True).start()
    return True


def _freeze_after(workspace: Workspace, job_id: str, over: threading.Event) -> None:
    with suppress(SfumatoError):
        while not over.wait(0.3):
            job = get_job(workspace, job_id=job_id)
            if job.status == "done":
                freeze(workspace, name=NAME)
            if job.ended:
                return
