"""Whom an ask, a comment or a judgement names: people and roles by reference, and what they are called."""

from collections.abc import Iterable

from sqlalchemy import select
from sqlalchemy.orm import Session

from sfumato.actions import Act
from sfumato.actions.permissions import ASSIGNABLE, may
from sfumato.db.kinds import get_record
from sfumato.errors import InvalidInput, NotFound, unknown
from sfumato.people.names import names_in
from sfumato.people.records import Membership

ROLE = "role/"
PERSON = "person/"


def names_of(session: Session, refs: Iterable[str]) -> dict[str, str]:
    """What those who are named by reference (person/…, role/…) are called."""
    asked = set(refs)
    roles = {one: f"every {one.removeprefix(ROLE)}" for one in asked if one.startswith(ROLE)}
    return names_in(session, asked - roles.keys()) | roles


def whom(act: Act, said: str) -> str:
    """The reference of the member of this project, or of the role, that is meant; raises NotFound with the nearest."""
    if said.startswith(PERSON):
        key = said.removeprefix(PERSON)
        member = select(Membership.id).where(Membership.person == key, Membership.project == act.workspace.project)
        if said == act.actor.id or act.session.scalar(member) is not None:
            return said
        raise NotFound("There is no such person in this project.", hint="Ask a role instead; People shows who is here.")
    role = said.removeprefix(ROLE)
    if role not in ASSIGNABLE:
        raise unknown("role", role, ASSIGNABLE)
    if not may((role,), "ask.write"):
        raise InvalidInput(f"A {role} can answer no ask.", hint="Ask another role.")
    return ROLE + role


def kept_to(session: Session, ref: str) -> str:
    """To whom alone a record is shown, so that what is said of it is as private; "" where it is no secret."""
    return str(getattr(get_record(session, ref), "private_to", ""))


def reaching(act: Act) -> set[str]:
    """How what is addressed reaches whoever acts: by name, by their roles, and an admin by roles that nobody holds."""
    mine = {act.actor.id, *(ROLE + role for role in act.actor.roles)}
    if "admin" in act.actor.roles:
        rows = act.session.scalars(select(Membership.roles).where(Membership.project == act.workspace.project))
        held = {role for roles in rows for role in roles}
        mine |= {ROLE + role for role in ASSIGNABLE if role not in held}
    return mine
