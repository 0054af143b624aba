"""Passwords: long enough, none that everybody tries first, and kept as Argon2id hashes alone."""

import re
from functools import cache
from typing import TYPE_CHECKING

from sqlalchemy import select, update

from sfumato.actions import Act, Workspace, action, query
from sfumato.db import now
from sfumato.errors import Forbidden, InvalidInput
from sfumato.people.edits import edit
from sfumato.people.records import Person, SignIn

if TYPE_CHECKING:
    from pwdlib import PasswordHash

SHORTEST, LONGEST = 12, 256
MEMORY_KIB, PASSES = 19_456, 3  # of one try: enough to slow guessing, and little beside what the server holds
# What common passwords of twelve letters and more are put together from; see `is_common`.
COMMON = (
    "password", "passwort", "passwd", "pass", "qwertyuiop", "qwertzuiop", "qwerty", "qwertz", "azerty", "asdfghjkl",
    "asdfgh", "asdf", "zxcvbnm", "yxcvbnm", "zxcvbn", "letmein", "welcome", "willkommen", "iloveyou", "ilove", "love",
    "admin", "administrator", "root", "user", "login", "master", "monkey", "dragon", "football", "baseball",
    "superman", "batman", "princess", "sunshine", "shadow", "michael", "charlie", "jordan", "trustno", "starwars",
    "whatever", "freedom", "computer", "internet", "secret", "hello", "hallo", "test", "testing", "change", "changeme",
    "default", "guest", "temp", "summer", "winter", "spring", "autumn", "january", "monday", "company", "sfumato",
    "studio", "correcthorsebatterystaple", "abcdefghijklmnopqrstuvwxyz", "abcdef", "abc", "you", "my", "me", "the",
    "is", "this", "a", "in", "to", "one", "two", "three", "now", "please", "new", "old",
)  # fmt: skip
DISGUISES = str.maketrans("013457@$!", "oleastasi")


def check_password(password: str, login: str = "") -> str:
    """The password, if it is one to be kept; raises InvalidInput, which never repeats it."""
    if len(password) < SHORTEST:
        raise InvalidInput(
            f"The password has {len(password)} characters; it needs at least {SHORTEST}.",
            hint="Four or five words that nobody would put together are easy to keep in mind.",
        )
    if len(password) > LONGEST:
        raise InvalidInput(f"The password is longer than {LONGEST} characters.", hint="Take a shorter one.")
    if is_common(password) or (login and _plain(password) in {_plain(login), _plain(login.split("@")[0])}):
        raise InvalidInput(
            "This password is among those that are tried first.", hint="Take words that nobody would put together."
        )
    return password


def is_common(password: str) -> bool:
    """Whether it is made of words, rows of keys and digits that everybody tries first, under whatever disguise."""
    if len(set(password.casefold())) < 4:
        return True
    for said in (_plain(password.translate(DISGUISES)), _plain(password)):
        rest = said
        for word in sorted(COMMON, key=len, reverse=True):
            if len(word) > 3:
                rest = rest.replace(word, " ")
        if all(len(part) < 4 or part in COMMON for part in rest.split()):
            return True
    return False


def _plain(said: str) -> str:
    return re.sub(r"[\W\d_]+", "", said.casefold())


@cache
def hasher() -> "PasswordHash":
    """What makes and checks hashes."""
    from pwdlib import PasswordHash
    from pwdlib.hashers.argon2 import Argon2Hasher

    return PasswordHash((Argon2Hasher(time_cost=PASSES, memory_cost=MEMORY_KIB, parallelism=1),))


@cache
def nobodys() -> str:
    """A hash that no password meets, so that unknown names are answered as slowly as known ones."""
    from sfumato.people.codes import fresh

    return hasher().hash(fresh()[0])


def hashed(password: str) -> str:
    """The hash to keep; slow by design, so never within a transaction."""
    return hasher().hash(password)


def meets(password: str, kept: str | None) -> bool:
    """Whether a password is the one that was kept; takes as long where none was."""
    met = len(password) <= LONGEST and hasher().verify(password, kept or nobodys())
    if len(password) > LONGEST:
        hasher().verify("", kept or nobodys())
    return met and kept is not None


def change_password(workspace: Workspace, *, old: str, new: str, keep: str = "") -> int:
    """Change one's own password, and end all sessions but the one with the id `keep`; returns how many ended.

    Raises Forbidden when the old one is wrong, InvalidInput for a new one that cannot be used.
    """
    login, kept = _own(workspace)
    check_password(new, login)
    if not meets(old, kept):
        raise Forbidden("The old password is not right.", hint="Write it again.")
    return _change(workspace, before=kept or "", after=hashed(new), keep=keep)


@query("people.own_password", needs="account.enter", doors=())
def _own(act: Act) -> tuple[str, str | None]:
    """The sign-in name and password hash of whoever acts."""
    row = act.session.get(Person, act.actor.id.removeprefix("person/"))
    if row is None or row.login is None:
        raise Forbidden("Whoever works at the machine itself has no password.", hint="Sign in first.")
    return row.login, row.password


@action("people.change_password", needs="account.enter", doors=("web",), archived=True)
def _change(act: Act, *, before: str, after: str, keep: str) -> int:
    """Change one's own password."""
    row = act.session.get_one(Person, act.actor.id.removeprefix("person/"))
    edit(act, row, None)
    if row.password != before:
        raise Forbidden("The old password is not right any more.", hint="Sign in again.")
    row.password = after
    act.says("changed their password", subject=row.ref, outside=True)
    return end_sessions(act, row.id, keep=keep)


def end_sessions(act: Act, person: str, *, keep: str = "") -> int:
    """End all sessions of a person but one; returns how many ended."""
    living = select(SignIn.id).where(SignIn.person == person, SignIn.revoked_at.is_(None), SignIn.id != keep)
    ended = list(act.session.scalars(living))
    act.session.execute(update(SignIn).where(SignIn.id.in_(ended)).values(revoked_at=now()))
    return len(ended)
