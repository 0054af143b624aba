"""A lost password: a code that only the machine itself can print lets its owner set a new one, once."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select, update

from sfumato.actions import Act, Workspace, action, query
from sfumato.db import now
from sfumato.errors import Conflict, Forbidden
from sfumato.people.codes import fresh, hash_of
from sfumato.people.edits import edit
from sfumato.people.identify import visitor
from sfumato.people.names import find_person
from sfumato.people.passwords import check_password, end_sessions, hashed
from sfumato.people.records import PasswordCode, Person
from sfumato.people.signins import SignedIn, begin

LIVES = timedelta(hours=1)


@dataclass(frozen=True)
class PasswordsCode:
    """A fresh code for one person; it is shown this once."""

    code: str
    login: str
    name: str
    expires_at: datetime
    ended: int


@action("people.reset_password", needs="workspace.care", doors=("cli",), archived=True)
def reset_password(act: Act, *, person: str) -> PasswordsCode:
    """Make a code by which somebody sets a new password, once, within an hour; their sessions end at once.

    Only at the machine itself: whoever may make such codes may become anybody.
    """
    if act.actor.project is not None:
        raise Forbidden("Such a code is made at the machine itself.", hint="Run there: sfumato people reset NAME")
    row = find_person(act, person)
    if row.login is None:
        raise Conflict("They work at the machine itself, without a password.", hint="Nothing is to be done.")
    if row.disabled_at is not None:
        raise Conflict("They may come in no more.", hint="`sfumato people enable` lets them in again.")
    code, secret_hash = fresh()
    _end_codes(act, row)
    made = PasswordCode(made_by=act.actor.id, person=row.id, secret_hash=secret_hash, expires_at=now() + LIVES)
    act.session.add(made)
    ended = end_sessions(act, row.id)
    act.says("was given a code for a new password", subject=row.ref, outside=True, ended=ended)
    return PasswordsCode(code, row.login, row.name, made.expires_at, ended)


def set_new_password(workspace: Workspace, *, code: str, password: str, user_agent: str = "") -> SignedIn:
    """Set a new password by a code, and sign in; raises Forbidden for a code that is not good, InvalidInput."""
    outside = visitor(workspace)
    check_password(password, _login_of(outside, code=code))
    return _set(outside, code=code, password=hashed(password), user_agent=user_agent)


@query("people.password_code", needs="account.enter", doors=())
def _login_of(act: Act, *, code: str) -> str:
    """The sign-in name of whoever a code is for; raises Forbidden for one that is not good (any more)."""
    return act.session.get_one(Person, _good(act, code).person).login or ""


@action("people.set_new_password", needs="account.enter", doors=("web",), archived=True)
def _set(act: Act, *, code: str, password: str, user_agent: str) -> SignedIn:
    """Set a new password by a code from the machine; all earlier sessions end."""
    used = _good(act, code, lock=True)
    row = edit(act, act.session.get_one(Person, used.person), None)
    if row.disabled_at is not None:
        raise _refused()
    row.password, used.used_at = password, now()
    _end_codes(act, row)
    end_sessions(act, row.id)
    entered = begin(act, row, user_agent)
    act.says("set a new password by a code", subject=row.ref, outside=True, by=row.ref)
    return entered


def _good(act: Act, code: str, *, lock: bool = False) -> PasswordCode:
    which = select(PasswordCode).where(PasswordCode.secret_hash == hash_of(code))
    row = act.session.scalar(which.with_for_update() if lock else which)
    if row is None or row.used_at is not None or row.expires_at <= now():
        raise _refused()
    return row


def _refused() -> Forbidden:
    return Forbidden("This code is not good, or not any more.", hint="Run at the machine: sfumato people reset NAME")


def _end_codes(act: Act, person: Person) -> None:
    """Let no earlier code of a person be good any more."""
    open_codes = update(PasswordCode).where(PasswordCode.person == person.id, PasswordCode.used_at.is_(None))
    act.session.execute(open_codes.values(expires_at=now()))
