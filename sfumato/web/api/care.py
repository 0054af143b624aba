"""Care of the whole workspace: what takes the room, checks, backups, erasure, and the log."""

from fastapi import APIRouter

from sfumato.actions import Workspace
from sfumato.care.backup import ask_backup
from sfumato.care.doctor import ask_doctor
from sfumato.care.erasure import ErasedView
from sfumato.care.erasure import erase as erase_now
from sfumato.care.log import read_log
from sfumato.care.storage import take_stock
from sfumato.web.offering import offer

router = APIRouter()


def erase(workspace: Workspace, *, what: str, reason: str) -> ErasedView:
    """Erase a picture for good: an item, a picture that was drawn, or bytes by their SHA-256; in all projects."""
    return erase_now(workspace, what, reason=reason)


offer(router, "GET", "/care/storage", take_stock)
offer(router, "POST", "/care/checks", ask_doctor)
offer(router, "POST", "/care/backups", ask_backup)
offer(router, "POST", "/care/erasures", erase, name="care.erase", once=False)
offer(router, "GET", "/care/log", read_log)
