"""People: who is a member and holds which roles, inviting, changing roles, removing, and what each role may do."""

from typing import Annotated

from fastapi import Form
from starlette.responses import Response

from sfumato.actions.events import list_events
from sfumato.actions.permissions import ABOUT
from sfumato.actions.registry import allowed
from sfumato.errors import NotFound, SfumatoError
from sfumato.people.invitations import Invited, invite, list_invitations, revoke_invitation
from sfumato.people.members import MemberView, list_members, remove_member, set_roles
from sfumato.people.names import names_of
from sfumato.people.owner import OwnersCode, make_owner_code
from sfumato.people.persons import disable, enable, me
from sfumato.people.roles import show_permissions
from sfumato.people.signins import list_sessions, revoke_session
from sfumato.web.addresses import Router
from sfumato.web.desks import Desk, Page
from sfumato.web.sentences import sentences
from sfumato.web.visits import Here, Visit, counted

router = Router()
DESK = Desk("people", "People", "/people", "users", order=80, says="Who works here, and what each may do.")
Word = Annotated[str, Form(max_length=400)]
Roles = Annotated[list[str] | None, Form(max_length=40)]
Version = Annotated[int | None, Form()]
WHY = "You need the permission 'people.write'. An admin of the project can give it."


@router.get("/people")
def list_people(visit: Here) -> Response:
    """The members of the project with their roles, and the invitations that are open."""
    return _list(visit)


def _list(
    visit: Visit, *, wrong: SfumatoError | None = None, made: Invited | None = None, note: str = "",
    chosen: list[str] | None = None,
) -> Response:  # fmt: skip
    workspace, may_invite = visit.workspace, allowed(visit.workspace, "people.write")
    myself = me(workspace)
    invitations = [one for one in list_invitations(workspace) if one.state == "open"] if may_invite else []
    return visit.render(
        "people/list.html", status=wrong.status if wrong else 200, page=Page("People", "people"),
        members=list_members(workspace),
        myself=myself, may_invite=may_invite, why=WHY, about=ABOUT, invitations=invitations, wrong=wrong, made=made,
        note=note, chosen=chosen or ["viewer"], link=f"{_address(visit)}/join?code={made.code}" if made else "",
        names=names_of(workspace, [one.made_by for one in invitations]),
    )  # fmt: skip


def _address(visit: Visit) -> str:
    """The address of the studio as this browser knows it."""
    return f"{'https' if visit.house.serving.secure else 'http'}://{visit.header('host')}"


@router.post("/people/invitations")
@counted("create")
def make_invitation(visit: Here, roles: Roles = None, note: Word = "", days: Annotated[int, Form()] = 7) -> Response:
    """Make a code for one person; it is shown this once."""
    try:
        made = invite(visit.workspace, roles=roles or [], note=note, days=days)
    except SfumatoError as wrong:
        return _list(visit, wrong=wrong, note=note, chosen=roles)
    return _list(visit, made=made)


@router.post("/people/invitations/{invitation}/revoke")
def take_back(visit: Here, invitation: str) -> Response:
    """Take an invitation back that nobody has used."""
    revoke_invitation(visit.workspace, invitation=invitation)
    return visit.go("/people")


@router.get("/people/permissions")
def permissions(visit: Here) -> Response:
    """Roles and what each may do, one's own marked."""
    page = Page("What each role may do", "people", (("People", "/people"), ("What each role may do", "")))
    return visit.render(
        "people/permissions.html", page=page, table=show_permissions(visit.workspace), mine=me(visit.workspace).roles
    )


@router.get("/people/team")
def team(visit: Here) -> Response:
    """What changes when a workspace of one becomes a team's."""
    return _team(visit)


def _team(visit: Visit, made: OwnersCode | None = None) -> Response:
    page = Page("Work as a team", "people", (("People", "/people"), ("Work as a team", "")))
    return visit.render(
        "people/team.html", page=page, myself=me(visit.workspace), made=made, may_make=visit.me.project is None
    )


@router.post("/people/team")
def make_team(visit: Here) -> Response:
    """Make the code by which somebody becomes the owner; it is shown this once."""
    return _team(visit, make_owner_code(visit.workspace))


@router.get("/people/{person}")
def show_person(visit: Here, person: str) -> Response:
    """A member: their roles, what they did, and what one may do about it."""
    return _person(visit, person)


def _person(
    visit: Visit, person: str, *, wrong: SfumatoError | None = None, chosen: list[str] | None = None
) -> Response:
    found = _member(visit, person)
    care = allowed(visit.workspace, "workspace.care") and found.login is not None
    rows = list_events(visit.workspace, made_by=found.ref, limit=15)
    return visit.render(
        "people/page.html", status=wrong.status if wrong else 200, wrong=wrong, one=found, about=ABOUT, why=WHY,
        page=Page(found.name, "people", (("People", "/people"), (found.name, ""))), is_me=found.ref == visit.me.id,
        may_change=allowed(visit.workspace, "people.write"), chosen=chosen or found.roles, care=care,
        sessions=list_sessions(visit.workspace, person=found.id) if care else [],
        done=sentences(visit.workspace, rows, me=visit.me.id),
    )  # fmt: skip


def _member(visit: Visit, person: str) -> MemberView:
    found = next((one for one in list_members(visit.workspace) if one.id == person), None)
    if found is None:
        raise NotFound("There is no such member of this project.", hint="People shows who is here.")
    return found


@router.post("/people/{person}/roles")
def change_roles(visit: Here, person: str, roles: Roles = None, version: Version = None) -> Response:
    """Give a member other roles, if nobody else did meanwhile."""
    try:
        set_roles(visit.workspace, person=person, roles=roles or [], version=version)
    except SfumatoError as wrong:
        return _person(visit, person, wrong=wrong, chosen=roles)
    return visit.go(f"/people/{person}")


@router.post("/people/{person}/remove")
def remove(visit: Here, person: str, version: Version = None) -> Response:
    """Take a member out of the project."""
    try:
        remove_member(visit.workspace, person=person, version=version)
    except SfumatoError as wrong:
        return _person(visit, person, wrong=wrong)
    return visit.go("/people")


@router.post("/people/{person}/disable")
def shut_out(visit: Here, person: str) -> Response:
    """Let somebody in no more, in any project."""
    disable(visit.workspace, person=person)
    return visit.go(f"/people/{person}")


@router.post("/people/{person}/enable")
def let_back(visit: Here, person: str) -> Response:
    """Let somebody in again."""
    enable(visit.workspace, person=person)
    return visit.go(f"/people/{person}")


@router.post("/people/{person}/sessions/{session}/revoke")
def end_session(visit: Here, person: str, session: str) -> Response:
    """End a session of somebody."""
    revoke_session(visit.workspace, session=session, person=person)
    return visit.go(f"/people/{person}")
