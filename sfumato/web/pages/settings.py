"""Settings: the project, how the studio looks, the workspace and its keys, what takes the room, and its care."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any

from fastapi import Form
from sqlalchemy import select
from starlette.responses import Response

from sfumato import __version__
from sfumato.actions import Workspace
from sfumato.actions.records import WorkspaceInfo
from sfumato.actions.registry import allowed, require
from sfumato.care.backup import ask_backup
from sfumato.care.clearing import tidy
from sfumato.care.doctor import ask_doctor
from sfumato.care.storage import take_stock
from sfumato.db.schema import newest
from sfumato.errors import SfumatoError
from sfumato.people.projects import (
    archive_project,
    create_project,
    list_projects,
    rename_project,
    show_project,
    unarchive_project,
)
from sfumato.store.disk import free_bytes
from sfumato.trust.keys import rotate_keys, show_keys
from sfumato.web.addresses import Router
from sfumato.web.desks import Desk, Page
from sfumato.web.pages.around import remember
from sfumato.web.visits import PROJECT, Here, Visit, counted

router = Router()
DESK = Desk("settings", "Settings", "/settings", "settings", order=90, says="The project, the look, the workspace.")
Word = Annotated[str, Form(max_length=400)]
Text = Annotated[str, Form(max_length=5_000)]
Version = Annotated[int | None, Form()]
CARE = "workspace.care"
WHY = "You need the permission '{}'. An admin of the project can give it."


@dataclass(frozen=True)
class Facts:
    """What there is to know of the workspace itself."""

    place: str
    database: str
    format: str
    revision: str
    version: str
    free: int


def _keys(workspace: Workspace) -> dict[str, Any]:
    """What is said of the key that signs, with its days as days."""
    keys = show_keys(workspace)
    since, until = (datetime.fromisoformat(one) if one else None for one in (keys.made_at, keys.valid_until))
    return {"keys": keys, "key_since": since, "key_until": until}


def facts_of(workspace: Workspace) -> Facts:
    """The workspace's place, database and room; for who cares for it."""
    require(workspace, CARE)
    with workspace.read() as session:
        written = session.scalar(select(WorkspaceInfo.value).where(WorkspaceInfo.key == "format")) or ""
    kind = "SQLite, in the workspace's folder" if workspace.db.is_sqlite else "PostgreSQL"
    return Facts(str(workspace.path), kind, written, newest(), __version__, free_bytes(workspace.path))


@router.get("/settings")
def show_settings(visit: Here) -> Response:
    """Everything that can be set, and what can be known."""
    return _page(visit)


def _page(visit: Visit, wrong: tuple[str, SfumatoError] | None = None, name: str = "") -> Response:
    workspace, cares = visit.workspace, allowed(visit.workspace, CARE)
    project = show_project(workspace)
    return visit.render(
        "settings/page.html", status=wrong[1].status if wrong else 200, page=Page("Settings", "settings"),
        project=project,
        projects=list_projects(workspace, archived=True), may_project=allowed(workspace, "project.write"), wrong=wrong,
        new_name=name, facts=facts_of(workspace) if cares else None, cares=cares, **_keys(workspace),
        may_rotate=allowed(workspace, "keys.write"), why=WHY,
    )  # fmt: skip


@router.post("/settings/project")
def change_project(visit: Here, name: Word, description: Text = "", version: Version = None) -> Response:
    """Rename or describe the present project, if nobody else did meanwhile."""
    try:
        rename_project(visit.workspace, name=name, description=description.replace("\r\n", "\n"), version=version)
    except SfumatoError as wrong:
        return _page(visit, ("project", wrong))
    return visit.go("/settings")


@router.post("/settings/project/archive")
def put_away(visit: Here, version: Version = None) -> Response:
    """Put the present project away."""
    try:
        archive_project(visit.workspace, version=version)
    except SfumatoError as wrong:
        return _page(visit, ("project", wrong))
    return visit.go("/settings")


@router.post("/settings/project/unarchive")
def take_out(visit: Here, version: Version = None) -> Response:
    """Take the present project out again."""
    try:
        unarchive_project(visit.workspace, version=version)
    except SfumatoError as wrong:
        return _page(visit, ("project", wrong))
    return visit.go("/settings")


@router.post("/settings/projects")
@counted("create")
def make_project(visit: Here, name: Word, description: Text = "") -> Response:
    """Make another project and go there."""
    try:
        made = create_project(visit.workspace, name=name, description=description)
    except SfumatoError as wrong:
        return _page(visit, ("projects", wrong), name)
    answer = visit.go("/settings")
    remember(visit, answer, PROJECT, made.id)
    return answer


@router.get("/settings/keys")
def show_key(visit: Here) -> Response:
    """The keys are a part of the settings."""
    return visit.go("/settings#keys")


@router.post("/settings/keys/rotate")
@counted("create")
def renew_key(visit: Here) -> Response:
    """Sign with a fresh key from now on."""
    rotate_keys(visit.workspace)
    return visit.go("/settings#keys")


@router.get("/settings/storage")
def show_storage(visit: Here) -> Response:
    """What takes the room, by kind and by name, and what could go."""
    page = Page("Storage", "settings", (("Settings", "/settings"), ("Storage", "")))
    stock = take_stock(visit.workspace)
    return visit.render("settings/storage.html", page=page, stock=stock, tidy=tidy(visit.workspace))


@router.post("/settings/storage/tidy")
def tidy_up(visit: Here) -> Response:
    """Let go of what was kept longer than the settings say."""
    tidy(visit.workspace, really=True)
    return visit.go("/settings/storage")


@router.post("/settings/doctor")
@counted("create")
def examine(visit: Here, deep: Word = "", mend: Word = "") -> Response:
    """Ask for the workspace to be looked at; the job says what was found."""
    return visit.go(f"/records/job/{ask_doctor(visit.workspace, deep=bool(deep), mend=bool(mend)).id}")


@router.post("/settings/backup")
@counted("create")
def back_up(visit: Here, with_keys: Word = "") -> Response:
    """Ask for a backup; the job says where it lies."""
    return visit.go(f"/records/job/{ask_backup(visit.workspace, with_keys=bool(with_keys)).id}")
