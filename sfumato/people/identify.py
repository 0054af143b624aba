"""Who acts: told from a session's secret, from a token, or from sitting at the machine itself."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from sfumato.actions import Actor, Workspace
from sfumato.actions.permissions import PERMISSIONS, VISITOR
from sfumato.actions.workspace import local_person
from sfumato.db import now
from sfumato.errors import Busy
from sfumato.people.codes import hash_of
from sfumato.people.records import NOBODY, Membership, Person, SignIn, Token

IDLE = timedelta(hours=12)
SEEN_EVERY = timedelta(minutes=1)  # how exactly "last used" is kept
ALWAYS = frozenset({"account.read"})  # of every token: what it is itself
OWNERS_ONLY = frozenset({"workspace.care"})


@dataclass(frozen=True)
class Entered:
    """A session that lives: who it is, and what its forms must carry."""

    actor: Actor
    sign_in: str
    csrf: str


def visitor(workspace: Workspace) -> Workspace:
    """The workspace as somebody sees it who has not signed in."""
    return workspace.as_actor(Actor(NOBODY, "A visitor", (VISITOR,), workspace.project))


def is_team(workspace: Workspace) -> bool:
    """Whether anybody signs in here; until then the person at the machine works alone."""
    with workspace.read() as session:
        return session.scalar(select(Person.id).where(Person.login.is_not(None)).limit(1)) is not None


def local_actor(workspace: Workspace) -> Actor:
    """The person at the machine: an admin everywhere, under the name and with the roles they gave themselves."""
    here = local_person()
    key = here.id.removeprefix("person/")
    with workspace.read() as session:
        name = session.scalar(select(Person.name).where(Person.id == key))
        roles = roles_in(session, key, workspace.project)
    return Actor(here.id, name or here.name, tuple(dict.fromkeys(("admin", *roles))))


def session_of(workspace: Workspace, secret: str) -> Entered | None:
    """The session with this secret and its person's roles in the workspace's project, None when it is over."""
    moment = now()
    with workspace.read() as session:
        found = session.execute(
            select(SignIn, Person)
            .join(Person, Person.id == SignIn.person)
            .where(SignIn.secret_hash == hash_of(secret), SignIn.revoked_at.is_(None), Person.disabled_at.is_(None))
        ).one_or_none()
        if found is None:
            return None
        row, person = found
        if row.ends_at <= moment or row.used_at + IDLE <= moment:
            return None
        actor = _actor(session, person, workspace.project)
        entered, used_at = Entered(actor, row.id, row.csrf), row.used_at
    _seen(workspace, SignIn, entered.sign_in, used_at, moment)
    return entered


def person_of_session(workspace: Workspace, secret: str) -> Actor | None:
    """Whoever signed in with this secret, with their roles in the workspace's project; None when it is over.

    Somebody who is no member of the project holds no role, so that everything is refused.
    """
    entered = session_of(workspace, secret)
    return entered.actor if entered else None


def person_of_token(workspace: Workspace, secret: str) -> Actor | None:
    """Whoever made this token, with their present roles in the token's project, limited to what it was made for."""
    moment = now()
    with workspace.read() as session:
        found = session.execute(
            select(Token, Person)
            .join(Person, Person.id == Token.person)
            .where(Token.secret_hash == hash_of(secret), Token.revoked_at.is_(None), Person.disabled_at.is_(None))
        ).one_or_none()
        if found is None or found[0].expires_at <= moment:
            return None
        row, person = found
        actor = _actor(session, person, row.project)
        limit = frozenset(row.scopes) & (actor.scopes if actor.scopes is not None else frozenset(PERMISSIONS))
        key, used_at = row.id, row.used_at
    _seen(workspace, Token, key, used_at, moment)
    return Actor(actor.id, actor.name, actor.roles, row.project, limit | ALWAYS)


def roles_still_held(session: Session, ref: str, project: str, roles: tuple[str, ...]) -> tuple[str, ...]:
    """Those of the roles, with which somebody asked for work, that they hold by now; who has no account keeps them."""
    person = session.get(Person, ref.removeprefix("person/"))
    if person is None or person.login is None:
        return roles
    present = () if person.disabled_at else roles_in(session, person.id, project)
    return tuple(role for role in roles if role in present)


def _actor(session: Session, person: Person, project: str) -> Actor:
    if person.login is None:  # the person at the machine, through a token of theirs
        return Actor(person.ref, person.name, ("admin",), project)
    limit = None if person.owner else frozenset(PERMISSIONS) - OWNERS_ONLY
    return Actor(person.ref, person.name, roles_in(session, person.id, project), project, limit)


def roles_in(session: Session, person: str, project: str) -> tuple[str, ...]:
    """The roles that a person, named by the id alone, holds in a project."""
    row = select(Membership.roles).where(Membership.person == person, Membership.project == project)
    return tuple(session.scalar(row) or ())


def _seen(
    workspace: Workspace, table: type[SignIn] | type[Token], key: str, before: datetime | None, moment: datetime
) -> None:
    """Keep when it was last used; where the database stays busy, the next use will do."""
    if before is not None and moment - before < SEEN_EVERY:
        return
    try:
        with workspace.write() as session:
            session.execute(update(table).where(table.id == key).values(used_at=moment))
    except Busy:
        return
