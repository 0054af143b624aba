"""Members of a project and their roles. The last admin stays one."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select, update

from sfumato.actions import Act, action, query
from sfumato.actions.permissions import ASSIGNABLE
from sfumato.db import now
from sfumato.errors import Conflict, InvalidInput, NotFound, unknown
from sfumato.people.edits import edit, hold
from sfumato.people.names import find_person
from sfumato.people.records import Membership, Person, Token


@dataclass(frozen=True)
class MemberView:
    """A member of the project."""

    id: str
    name: str
    login: str | None
    roles: list[str]
    since: datetime
    disabled: bool
    owner: bool
    version: int

    @property
    def ref(self) -> str:
        """How records name them."""
        return f"person/{self.id}"


def check_roles(roles: list[str]) -> list[str]:
    """The roles in the order of the table; raises NotFound for an unknown one, InvalidInput for none."""
    for role in roles:
        if role not in ASSIGNABLE:
            raise unknown("role", role, ASSIGNABLE)
    if not roles:
        raise InvalidInput("A member needs at least one role.", hint="A viewer may look at everything and comment.")
    return [role for role in ASSIGNABLE if role in roles]


@query("people.members", doors=("api", "cli", "web"))
def list_members(act: Act) -> list[MemberView]:
    """The members of this project with their roles, by name."""
    rows = act.session.execute(
        select(Person, Membership)
        .join(Membership, Membership.person == Person.id)
        .where(Membership.project == act.workspace.project)
        .order_by(Person.name, Person.id)
    )
    return [_view(person, member) for person, member in rows]


@action("people.add_member", needs="people.write", doors=("api", "cli", "web"))
def add_member(act: Act, *, person: str, roles: list[str]) -> MemberView:
    """Let somebody who has an account here into this project, with these roles."""
    given = check_roles(roles)
    found = find_person(act, person)
    if _membership(act, found) is not None:
        raise Conflict("They are a member of this project already.", hint="Change their roles instead.")
    act.says(f"let somebody in as {_listed(given)}", subject=found.ref, roles=given)
    return _view(found, let_in(act, found, given))


def let_in(act: Act, person: Person, roles: list[str], *, by: str = "", project: str = "") -> Membership:
    """Write a membership, of this project if none is named, within an action that has made sure that it may be."""
    who = by or act.actor.id
    row = Membership(
        made_by=who, person=person.id, project=project or act.workspace.project, roles=list(roles), version=1,
        changed_by=who, changed_at=now(),
    )  # fmt: skip
    act.session.add(row)
    act.session.flush()
    return row


@action("people.set_roles", needs="people.write", doors=("api", "cli", "web"))
def set_roles(act: Act, *, person: str, roles: list[str], version: int | None = None) -> MemberView:
    """Give a member these roles in place of those they had; `version` is the one that was looked at."""
    given = check_roles(roles)
    found, row = _member(act, person)
    hold(act, row, version)
    before = list(row.roles)
    if before == given:
        return _view(found, row)
    edit(act, row, None)
    if "admin" not in given:
        _keep_an_admin(act, row)
    row.roles = given
    act.says(f"changed roles from {_listed(before)} to {_listed(given)}", subject=found.ref, before=before, after=given)
    return _view(found, row)


@action("people.remove_member", needs="people.write", doors=("api", "cli", "web"))
def remove_member(act: Act, *, person: str, version: int | None = None) -> None:
    """Take somebody out of this project; their tokens for it end, and what they made stays."""
    found, row = _member(act, person)
    edit(act, row, version)
    _keep_an_admin(act, row)
    act.session.delete(row)
    living = update(Token).where(Token.person == found.id, Token.project == row.project, Token.revoked_at.is_(None))
    act.session.execute(living.values(revoked_at=now()))
    act.says("took somebody out of the project", subject=found.ref, roles=list(row.roles))


def _member(act: Act, said: str) -> tuple[Person, Membership]:
    found = find_person(act, said)
    row = _membership(act, found)
    if row is None:
        raise NotFound("They are no member of this project.", hint="`sfumato people list` shows who is.")
    return found, row


def _membership(act: Act, person: Person) -> Membership | None:
    return act.session.scalar(
        select(Membership).where(Membership.person == person.id, Membership.project == act.workspace.project)
    )


def _keep_an_admin(act: Act, leaving: Membership) -> None:
    """Raise Conflict where nobody else could look after the project any more."""
    of_project = select(Membership.id, Membership.roles).join(Person, Person.id == Membership.person)
    present = of_project.where(Membership.project == leaving.project, Person.disabled_at.is_(None))
    rows = act.session.execute(present.order_by(Membership.id).with_for_update(of=Membership))
    admins = [key for key, roles in rows if "admin" in roles]
    if admins == [leaving.id]:
        raise Conflict("They are the project's last admin.", hint="Make somebody else an admin first.")


def _listed(roles: list[str]) -> str:
    return ", ".join(roles) or "nothing"


def _view(person: Person, row: Membership) -> MemberView:
    return MemberView(
        person.id, person.name, person.login, list(row.roles), row.made_at, person.disabled_at is not None,
        person.owner, row.version,
    )  # fmt: skip
