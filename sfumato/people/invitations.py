"""Invitations: a code that lets one person into one project, once, within some days."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from sfumato.actions import Act, Workspace, action, query
from sfumato.db import now
from sfumato.errors import Conflict, Forbidden, InvalidInput, NotFound
from sfumato.people.codes import fresh, hash_of
from sfumato.people.identify import visitor
from sfumato.people.members import check_roles, let_in
from sfumato.people.names import check_login, check_name, printable
from sfumato.people.passwords import check_password, hashed
from sfumato.people.records import Invitation, Membership, Person
from sfumato.people.signins import SignedIn, begin

LONGEST_DAYS = 31


@dataclass(frozen=True)
class InvitationView:
    """An invitation as an admin sees it; its code is not among it."""

    id: str
    roles: list[str]
    note: str
    made_by: str
    made_at: datetime
    expires_at: datetime
    state: str


@dataclass(frozen=True)
class Invited:
    """A fresh invitation; its code is shown this once."""

    code: str
    invitation: InvitationView


@action("people.invite", needs="people.write", doors=("api", "cli", "web"))
def invite(act: Act, *, roles: list[str], note: str = "", days: int = 7) -> Invited:
    """Make a code that lets one person into this project with these roles; `note` says for whom it is."""
    given = check_roles(roles)
    if not 1 <= days <= LONGEST_DAYS:
        raise InvalidInput(
            f"An invitation lives from 1 to {LONGEST_DAYS} days.", hint="Make another when it has ended."
        )
    code, secret_hash = fresh()
    for_whom = " ".join("".join(one if one.isprintable() else " " for one in note).split())[:200]
    row = Invitation(
        made_by=act.actor.id, project=act.workspace.project, secret_hash=secret_hash, roles=given,
        note=for_whom, expires_at=now() + timedelta(days=days),
    )  # fmt: skip
    act.session.add(row)
    act.session.flush()
    act.says(f"invited somebody as {', '.join(given)}", subject=f"project/{row.project}", roles=given, days=days)
    return Invited(code, _view(row))


@query("people.invitations", needs="people.write", doors=("api", "cli", "web"))
def list_invitations(act: Act) -> list[InvitationView]:
    """The invitations to this project, the newest first."""
    rows = select(Invitation).where(Invitation.project == act.workspace.project).order_by(Invitation.id.desc())
    return [_view(row) for row in act.session.scalars(rows)]


@action("people.revoke_invitation", needs="people.write", doors=("api", "cli", "web"), archived=True)
def revoke_invitation(act: Act, *, invitation: str) -> InvitationView:
    """Take back an invitation that nobody has used yet, named by its id or the end of it."""
    fits = Invitation.id.endswith(printable(invitation), autoescape=True)
    rows = act.session.scalars(select(Invitation).where(Invitation.project == act.workspace.project, fits)).all()
    if len(rows) != 1 or len(invitation) < 4:
        raise NotFound("There is no such invitation.", hint="`sfumato people invitations` shows them.")
    row = rows[0]
    act.session.refresh(row, with_for_update=True)
    if row.used_at is not None:
        raise Conflict("It has been used already.", hint="Remove the member instead.")
    if row.revoked_at is None:
        row.revoked_at = now()
        act.says("took back an invitation", subject=f"project/{row.project}")
    return _view(row)


def accept_invitation(
    workspace: Workspace, *, code: str, login: str, name: str, password: str, user_agent: str = ""
) -> SignedIn:
    """Make an account by an invitation's code, and sign in; the project is the invitation's.

    Raises Forbidden for a code that is not good (any more), Conflict for a sign-in name that is taken, InvalidInput.
    """
    key, said = check_login(login), check_name(name)
    check_password(password, key)
    outside = visitor(workspace)
    project = invited_to(outside, code=code)
    kept = hashed(password)
    door = visitor(workspace.in_project(project))
    return _accept(door, code=code, login=key, name=said, password=kept, user_agent=user_agent)


@query("people.invited_to", needs="account.enter", doors=("web",))
def invited_to(act: Act, *, code: str) -> str:
    """The id of the project that a code lets one into; raises Forbidden for a code that is not good (any more)."""
    return _good(act, code, lock=False).project


@action("people.accept_invitation", needs="account.enter", doors=("web",))
def _accept(act: Act, *, code: str, login: str, name: str, password: str, user_agent: str) -> SignedIn:
    """Make an account by an invitation's code."""
    invitation = _good(act, code)
    person = new_person(act, login=login, name=name, password=password)
    _use(act, invitation, person)
    entered = begin(act, person, user_agent)
    let_in(act, person, invitation.roles, by=invitation.made_by)
    act.says(f"joined as {', '.join(invitation.roles)}", subject=person.ref, by=person.ref)
    return entered


@action("people.join", needs="account.enter", doors=("web",))
def join(act: Act, *, code: str) -> str:
    """Join a project by an invitation's code with the account that one has; returns the project's id."""
    invitation = _good(act, code)
    person = act.session.get(Person, act.actor.id.removeprefix("person/"))
    if person is None or person.login is None or person.disabled_at is not None:
        raise Forbidden("Nobody is signed in.", hint="Sign in first, or make an account with the code.")
    same = (Membership.person == person.id) & (Membership.project == invitation.project)
    if act.session.scalar(select(Membership.id).where(same)) is not None:
        raise Conflict("You are a member of this project already.", hint="Leave the invitation to somebody else.")
    _use(act, invitation, person)
    row = let_in(act, person, invitation.roles, by=invitation.made_by, project=invitation.project)
    act.says(f"joined as {', '.join(row.roles)}", subject=person.ref, outside=True, project=invitation.project)
    return invitation.project


def new_person(act: Act, *, login: str, name: str, password: str, owner: bool = False) -> Person:
    """Write a person with an account; raises Conflict where the sign-in name is taken."""
    if act.session.scalar(select(Person.id).where(Person.login == login)) is not None:
        raise Conflict("This sign-in name is taken.", hint="Take another one, or sign in.")
    person = Person(login=login, name=name, password=password, owner=owner, version=1)
    act.session.add(person)
    try:
        act.session.flush()
    except IntegrityError as problem:
        raise Conflict("This sign-in name is taken.", hint="Take another one, or sign in.") from problem
    person.made_by = person.changed_by = person.ref
    return person


def _good(act: Act, code: str, *, lock: bool = True) -> Invitation:
    which = select(Invitation).where(Invitation.secret_hash == hash_of(code))
    row = act.session.scalar(which.with_for_update() if lock else which)
    if row is None or row.used_at or row.revoked_at or row.expires_at <= now():
        raise Forbidden("This invitation is not good, or not any more.", hint="Ask an admin for a new one.")
    return row


def _use(act: Act, row: Invitation, person: Person) -> None:
    row.used_at, row.used_by = now(), person.id


def _view(row: Invitation) -> InvitationView:
    state = "open"
    if row.used_at or row.revoked_at:
        state = "used" if row.used_at else "revoked"
    elif row.expires_at <= now():
        state = "expired"
    return InvitationView(row.id, list(row.roles), row.note, row.made_by, row.made_at, row.expires_at, state)
