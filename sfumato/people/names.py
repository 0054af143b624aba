"""What people are called: records and events hold ids alone, and ask here."""

import re
from collections.abc import Iterable

from sqlalchemy import select
from sqlalchemy.orm import Session

from sfumato.actions import Act, Workspace
from sfumato.errors import InvalidInput, NotFound
from sfumato.people.records import NOBODY, STUDIO, Person

LOCAL = re.compile(r"[^-]{1,36}|(?![0-9a-f]{8}-).{1,36}")  # the name at the machine, which is no UUID


def names_of(workspace: Workspace, ids: Iterable[str]) -> dict[str, str]:
    """The names of people by the ids that records keep (person/...); of who is not known, what can be said."""
    with workspace.read() as session:
        return names_in(session, ids)


def names_in(session: Session, ids: Iterable[str]) -> dict[str, str]:
    """The same within a session."""
    wanted = {one: one.removeprefix("person/") for one in ids}
    rows = session.execute(select(Person.id, Person.name).where(Person.id.in_(set(wanted.values()))))
    known = {NOBODY: "a visitor", STUDIO: "The studio"} | {key: name for key, name in rows}
    return {one: known.get(key) or (key if key and LOCAL.fullmatch(key) else "somebody") for one, key in wanted.items()}


def check_name(name: str) -> str:
    """A name as it is kept, without needless space; raises InvalidInput for none, or one that cannot be printed."""
    said = " ".join(name.split())
    if not said or len(said) > 100 or not said.isprintable():
        raise InvalidInput("A name has 1 to 100 letters.", hint="Write it in another way.")
    return said


def check_login(login: str) -> str:
    """A sign-in name as it is kept: in small letters, without space. Raises InvalidInput."""
    said = login.strip().casefold()
    if not re.fullmatch(r"[^\s@/<>\"']{1,80}(@[^\s@/<>\"']{1,100})?", said) or not said.isprintable():
        raise InvalidInput("A sign-in name is a word or an e-mail address, without spaces.", hint="Take another one.")
    return said


def printable(said: str) -> str:
    """What was said, or a space, which nothing is called, where a database could refuse to look for it."""
    return said if said.isprintable() else " "


def find_person(act: Act, said: str) -> Person:
    """The person of this id or sign-in name; raises NotFound."""
    key = printable(said).strip().removeprefix("person/")
    found = act.session.get(Person, key)
    found = found or act.session.scalar(select(Person).where(Person.login == key.casefold()))
    if found is None:
        raise NotFound(f"There is nobody with the sign-in name '{said}'.", hint="Invite them to the project.")
    return found


def own_person(act: Act) -> Person:
    """Whoever acts, as a row; the person at the machine gets one on first need."""
    key = act.actor.id.removeprefix("person/")
    found = act.session.get(Person, key)
    if found is None:
        if act.actor.project is not None or len(key) > 36:
            raise NotFound("There is no such person.", hint="Sign in again.")
        found = Person(id=key, made_by=act.actor.id, name=act.actor.name, version=0)
        act.session.add(found)
        act.session.flush()
    return found
