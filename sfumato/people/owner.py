"""The owner: whoever turns a workspace of one into a team's, by a code that only the machine itself can print."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select, update

from sfumato.actions import Act, Workspace, action
from sfumato.db import ACROSS, Base, MaybePrivate, now
from sfumato.errors import Forbidden
from sfumato.people.asking_records import Ask
from sfumato.people.codes import fresh, hash_of
from sfumato.people.identify import visitor
from sfumato.people.invitations import new_person
from sfumato.people.members import let_in
from sfumato.people.names import check_login, check_name
from sfumato.people.passwords import check_password, hashed
from sfumato.people.records import OwnerCode, Person, Project
from sfumato.people.signins import SignedIn, begin

LIVES = timedelta(hours=1)


@dataclass(frozen=True)
class OwnersCode:
    """A fresh code; it is shown this once."""

    code: str
    expires_at: datetime


@action("people.make_owner_code", needs="people.write", doors=("api", "cli", "web"), archived=True)
def make_owner_code(act: Act) -> OwnersCode:
    """Make a code that makes whoever has it an owner of the workspace, once, within an hour; older codes end.

    Only at the machine itself: whoever may start the studio there owns its files anyway.
    """
    if act.actor.project is not None:
        raise Forbidden("An owner's code is made at the machine itself.", hint="Run there: sfumato people owner-code")
    code, secret_hash = fresh()
    act.session.execute(update(OwnerCode).where(OwnerCode.used_at.is_(None)).values(expires_at=now()))
    row = OwnerCode(made_by=act.actor.id, secret_hash=secret_hash, expires_at=now() + LIVES)
    act.session.add(row)
    act.says("made a code for an owner", outside=True)
    return OwnersCode(code, row.expires_at)


def claim(workspace: Workspace, *, code: str, login: str, name: str, password: str, user_agent: str = "") -> SignedIn:
    """Become an owner by a code, and sign in; raises Forbidden for a code that is not good, Conflict, InvalidInput."""
    key, said = check_login(login), check_name(name)
    check_password(password, key)
    outside = visitor(workspace)
    return _claim(outside, code=code, login=key, name=said, password=hashed(password), user_agent=user_agent)


@action("people.claim", needs="account.enter", doors=("web",), archived=True)
def _claim(act: Act, *, code: str, login: str, name: str, password: str, user_agent: str) -> SignedIn:
    """Become an owner of the workspace by a one-time code: an admin of all its projects."""
    which = select(OwnerCode).where(OwnerCode.secret_hash == hash_of(code)).with_for_update()
    row = act.session.scalar(which)
    if row is None or row.used_at is not None or row.expires_at <= now():
        raise Forbidden("This code is not good, or not any more.", hint="Run: sfumato people owner-code")
    first = act.session.scalar(select(Person.id).where(Person.owner)) is None
    person = new_person(act, login=login, name=name, password=password, owner=True)
    row.used_at, row.used_by = now(), person.id
    for project in act.session.scalars(select(Project.id)).all():
        let_in(act, person, ["admin"], by=person.ref, project=project)
    if first:
        _hand_over(act, row.made_by, person.ref)
    entered = begin(act, person, user_agent)
    act.says("became an owner of the workspace", subject=person.ref, outside=True, by=person.ref)
    return entered


def _hand_over(act: Act, before: str, after: str) -> None:
    """What was private to whoever worked here alone stays private to them as an owner, and their asks stay theirs."""
    for told in (Ask.made_by, Ask.to):
        asked = update(Ask).where(told == before, Ask.status == "open").values({told.key: after})
        act.session.execute(asked, execution_options=ACROSS)
    for mapper in Base.registry.mappers:
        table = mapper.class_
        if issubclass(table, MaybePrivate):
            theirs = update(table).where(table.private_to == before).values(private_to=after)
            act.session.execute(theirs, execution_options=ACROSS)
