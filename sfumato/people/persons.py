"""Persons: who one is here, how one is called, and who may come in no more."""

from dataclasses import dataclass

from sqlalchemy import Select, select, update

from sfumato.actions import Act, action, query
from sfumato.actions.permissions import held
from sfumato.db import now
from sfumato.errors import Conflict, Forbidden
from sfumato.people.edits import edit
from sfumato.people.identify import roles_in
from sfumato.people.members import check_roles
from sfumato.people.names import check_name, find_person, own_person
from sfumato.people.passwords import end_sessions
from sfumato.people.projects import call_project, find_project
from sfumato.people.records import Membership, Person, Token


@dataclass(frozen=True)
class Me:
    """Whoever acts, as they may see themselves."""

    id: str
    name: str
    login: str | None
    roles: list[str]
    permissions: list[str]
    project: str
    solo: bool
    introduced: bool
    owner: bool
    version: int


@query("people.me", needs="account.read", doors=("api", "cli", "web"))
def me(act: Act) -> Me:
    """Who one is here: name, roles and permissions in this project, and whether one works alone."""
    return _me(act)


@action("people.introduce", needs="people.write", doors=("api", "cli", "web"))
def introduce(act: Act, *, name: str, roles: list[str], project: str = "") -> Me:
    """Say, at the machine itself, what one is called, at which desks one works, and what the project is called."""
    if act.actor.project is not None:
        raise Forbidden("Whoever signs in has a name already.", hint="Change it in the settings.")
    said, given = check_name(name), check_roles(roles)
    person = edit(act, own_person(act), None)
    person.name = said
    row = act.session.scalar(
        select(Membership).where(Membership.person == person.id, Membership.project == act.workspace.project)
    )
    if row is None:
        row = Membership(made_by=person.ref, person=person.id, project=act.workspace.project, roles=[], version=0)
        act.session.add(row)
    row.roles, row.version, row.changed_by, row.changed_at = given, row.version + 1, person.ref, now()
    if project.strip():
        call_project(act, find_project(act, ""), project)
    act.says(f"came in as {', '.join(given)}", subject=person.ref, roles=given)
    act.session.flush()
    return _me(act)


@action("people.rename", needs="account.enter", doors=("api", "web"))
def rename(act: Act, *, name: str, version: int | None = None) -> Me:
    """Change what one is called; every page shows the new name, also beside what was done before."""
    person = edit(act, own_person(act), version)
    person.name = check_name(name)
    act.says("changed their name", subject=person.ref, outside=True)
    act.session.flush()
    return _me(act)


@action("people.disable", needs="workspace.care", doors=("api", "cli", "web"), archived=True)
def disable(act: Act, *, person: str) -> None:
    """Let somebody in no more, in any project: their sessions and tokens end, and what they made stays."""
    row = edit(act, find_person(act, person), None)
    if row.ref == act.actor.id:
        raise Conflict("Nobody can lock themselves out.", hint="Ask another owner.")
    if row.owner and act.session.scalar(_owners(row)) is None:
        raise Conflict("They are the workspace's last owner.", hint="Make another one: sfumato people owner-code")
    row.disabled_at = row.disabled_at or now()
    end_sessions(act, row.id)
    act.session.execute(
        update(Token).where(Token.person == row.id, Token.revoked_at.is_(None)).values(revoked_at=now())
    )
    act.says("may come in no more", subject=row.ref, outside=True)


@action("people.enable", needs="workspace.care", doors=("api", "cli", "web"), archived=True)
def enable(act: Act, *, person: str) -> None:
    """Let somebody in again; they sign in anew, and make new tokens."""
    row = edit(act, find_person(act, person), None)
    if row.disabled_at is not None:
        row.disabled_at = None
        act.says("may come in again", subject=row.ref, outside=True)


def _owners(but: Person) -> Select[str]:
    return select(Person.id).where(Person.owner, Person.disabled_at.is_(None), Person.id != but.id).limit(1)


def _me(act: Act) -> Me:
    key, roles = act.actor.id.removeprefix("person/"), act.actor.roles
    row = act.session.get(Person, key)
    if act.actor.project is None:
        roles = tuple(dict.fromkeys((*roles, *roles_in(act.session, key, act.workspace.project))))
    team = act.session.scalar(select(Person.id).where(Person.login.is_not(None)).limit(1)) is not None
    permissions = held(roles) & (act.actor.scopes if act.actor.scopes is not None else held(roles))
    return Me(
        id=act.actor.id, name=row.name if row else act.actor.name, login=row.login if row else None,
        roles=list(roles), permissions=sorted(permissions), project=act.workspace.project, solo=not team,
        introduced=row is not None, owner=act.actor.project is None or bool(row and row.owner),
        version=row.version if row else 0,
    )  # fmt: skip
