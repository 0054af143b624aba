"""Signing in and out: sessions that the server keeps, and that can be seen and ended one by one."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Select, select

from sfumato.actions import Act, Workspace, action, query
from sfumato.actions.registry import require
from sfumato.db import now
from sfumato.errors import Forbidden, NotFound
from sfumato.people import passwords
from sfumato.people.codes import fresh, hash_of
from sfumato.people.identify import IDLE, visitor
from sfumato.people.names import find_person, printable
from sfumato.people.records import Person, SignIn

LONGEST = timedelta(days=14)  # a session ends then, however much it is used


@dataclass(frozen=True)
class SignedIn:
    """A fresh session: the secret is for the browser's cookie, and is never shown again."""

    secret: str
    csrf: str
    sign_in: str
    person: str
    ends_at: datetime


@dataclass(frozen=True)
class SignInView:
    """A session as its person sees it."""

    id: str
    made_at: datetime
    used_at: datetime
    ends_at: datetime
    user_agent: str


def sign_in(
    workspace: Workspace, *, login: str, password: str, user_agent: str = "", replacing: str | None = None
) -> SignedIn:
    """Begin a session with a fresh secret, ending the one it replaces; raises Forbidden, the same for all reasons.

    Whether a name is known cannot be told from the answer, nor from how long it takes.
    """
    outside = visitor(workspace)
    person, kept = _kept(outside, login=login)
    if not passwords.meets(password, kept):
        _refuse(outside, person=person)
        raise Forbidden("The sign-in name or the password is not right.", hint="Write both again.")
    return _enter(outside, person=person, kept=kept or "", user_agent=user_agent, replacing=replacing)


@query("people.kept_password", needs="account.enter", doors=())
def _kept(act: Act, *, login: str) -> tuple[str, str | None]:
    """Id and password hash that belong to a sign-in name; nothing of whoever may not sign in."""
    row = act.session.scalar(select(Person).where(Person.login == printable(login).strip().casefold()))
    if row is None:
        return "", None
    return row.id, None if row.disabled_at else row.password


@action("people.sign_in_refused", needs="account.enter", doors=(), archived=True)
def _refuse(act: Act, *, person: str) -> None:
    """Note that somebody could not sign in; what they wrote is noted nowhere."""
    subject = f"person/{person}" if person else ""
    act.says("was refused at the door" if person else "somebody unknown was refused", subject=subject, outside=True)


@action("people.sign_in", needs="account.enter", doors=("web",), archived=True)
def _enter(act: Act, *, person: str, kept: str, user_agent: str, replacing: str | None) -> SignedIn:
    """Sign in."""
    row = act.session.get_one(Person, person)
    if row.disabled_at is not None or row.password != kept:  # changed while the password was looked at
        raise Forbidden("The sign-in name or the password is not right.", hint="Write both again.")
    if replacing:
        _end(act, select(SignIn).where(SignIn.secret_hash == hash_of(replacing)))
    return begin(act, row, user_agent)


def begin(act: Act, person: Person, user_agent: str) -> SignedIn:
    """Write a fresh session of a person, within an action that has made sure of who it is."""
    secret, secret_hash = fresh()
    csrf, _ = fresh()
    row = SignIn(
        made_by=person.ref, person=person.id, secret_hash=secret_hash, csrf=csrf, ends_at=now() + LONGEST,
        user_agent="".join(one for one in user_agent if one.isprintable())[:200],
    )  # fmt: skip
    act.session.add(row)
    act.session.flush()
    act.says("signed in", subject=person.ref, outside=True, by=person.ref)
    return SignedIn(secret, csrf, row.id, person.ref, row.ends_at)


@action("people.sign_out", needs="account.enter", doors=("web",), archived=True)
def sign_out(act: Act, *, secret: str) -> bool:
    """End the session with this secret; tells whether there was one."""
    ended = _end(act, select(SignIn).where(SignIn.secret_hash == hash_of(secret)))
    if ended is not None:
        act.says("signed out", subject=f"person/{ended.person}", outside=True)
    return ended is not None


@query("people.sessions", needs="account.enter", doors=("api", "cli", "web"))
def list_sessions(act: Act, *, person: str = "") -> list[SignInView]:
    """The sessions that live, the last used first: one's own, or with care of the workspace somebody's."""
    moment, whose = now(), _whose(act, person)
    living = select(SignIn).where(
        SignIn.person == whose, SignIn.revoked_at.is_(None), SignIn.ends_at > moment, SignIn.used_at > moment - IDLE
    )
    rows = act.session.scalars(living.order_by(SignIn.used_at.desc(), SignIn.id.desc()))
    return [SignInView(row.id, row.made_at, row.used_at, row.ends_at, row.user_agent) for row in rows]


@action("people.revoke_session", needs="account.enter", doors=("api", "cli", "web"), archived=True)
def revoke_session(act: Act, *, session: str, person: str = "") -> None:
    """End a session by its id or the end of it: one's own, or with care of the workspace somebody's."""
    whose = _whose(act, person)
    fits = SignIn.id.endswith(printable(session), autoescape=True)
    rows = act.session.scalars(select(SignIn).where(SignIn.person == whose, fits, SignIn.revoked_at.is_(None))).all()
    if len(rows) != 1 or len(session) < 4:
        raise NotFound("There is no such session.", hint="Look at the list again; it may have ended.")
    rows[0].revoked_at = now()
    act.says("ended a session", subject=f"person/{rows[0].person}", outside=True)


@action("people.revoke_other_sessions", needs="account.enter", doors=("web",), archived=True)
def revoke_other_sessions(act: Act, *, keep: str) -> int:
    """End all of one's own sessions but the one with this id; returns how many ended."""
    count = passwords.end_sessions(act, _me(act), keep=keep)
    if count:
        act.says(f"ended {count} other sessions", subject=act.actor.id, outside=True)
    return count


def _end(act: Act, which: Select[SignIn]) -> SignIn | None:
    row = act.session.scalar(which.where(SignIn.revoked_at.is_(None)))
    if row is not None:
        row.revoked_at = now()
    return row


def _whose(act: Act, person: str) -> str:
    if not person:
        return _me(act)
    found = find_person(act, person)
    if found.ref != act.actor.id:
        require(act.workspace, "workspace.care")
    return found.id


def _me(act: Act) -> str:
    return act.actor.id.removeprefix("person/")
