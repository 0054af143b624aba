"""Care of the whole workspace: what takes the room, checks, backups, erasure, and the log."""

from dataclasses import replace
from typing import Any, Literal

from starlette.responses import FileResponse

from sfumato.actions import Workspace
from sfumato.care.backup import ask_backup, finished_backup
from sfumato.care.clearing import Clearing, tidy
from sfumato.care.clearing import clear as clear_kind
from sfumato.care.doctor import ask_doctor
from sfumato.care.erasure import ErasedView
from sfumato.care.erasure import erase as erase_now
from sfumato.care.log import read_log
from sfumato.care.storage import take_stock
from sfumato.web.addresses import Router
from sfumato.web.offering import offer
from sfumato.web.visits import Here

router = Router()
BINARY = {"schema": {"type": "string", "format": "binary"}}
ZIP: dict[int | str, dict[str, Any]] = {200: {"content": {"application/zip": BINARY}}}


def clear(
    workspace: Workspace, *, what: Literal["caches", "copies", "checkpoints", "old"], keep_last: int = 2,
    run: str | None = None, really: bool = False,
) -> Clearing:  # fmt: skip
    """Make room by letting go of caches, copies, checkpoints, or what is older than the settings say.

    Without `really` nothing is changed: the answer is what would go, and what would be lost with it.
    """
    if what == "old":
        found = tidy(workspace, really=really)
    else:
        found = clear_kind(workspace, what, keep_last=keep_last, run=run, really=really)
    return replace(found, things=[replace(one, path="") for one in found.things])


def erase(workspace: Workspace, *, what: str, reason: str) -> ErasedView:
    """Erase a picture for good: an item, a picture that was drawn, or bytes by their SHA-256; in all projects."""
    return erase_now(workspace, what, reason=reason)


offer(router, "GET", "/care/storage", take_stock)
offer(router, "POST", "/care/clearings", clear, name="care.clear", once=False)
offer(router, "POST", "/care/checks", ask_doctor)
offer(router, "POST", "/care/backups", ask_backup)
offer(router, "POST", "/care/erasures", erase, name="care.erase", once=False)
offer(router, "GET", "/care/log", read_log)


@router.get(
    "/care/backups/{job}/file", operation_id="care.fetch_backup", summary="The backup that a job has written",
    responses=ZIP, openapi_extra={"x-permission": "workspace.care"},
)  # fmt: skip
def backup_file(visit: Here, job: str) -> FileResponse:
    """A zip with all records and files of the workspace, named by the job that wrote it."""
    path = finished_backup(visit.workspace, job=job)
    headers = {"Cache-Control": "private, no-store"}
    return FileResponse(path, media_type="application/zip", filename=path.name, headers=headers)
