"""What was done, in sentences with names in the place of ids: "Bea let Chidi in as viewer"."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from sfumato.actions import Workspace
from sfumato.people.addressees import names_of
from sfumato.web.places import address_of


class Happened(Protocol):
    """What an event and a notice have in common."""

    @property
    def position(self) -> int: ...
    @property
    def action(self) -> str: ...
    @property
    def subject(self) -> str: ...
    @property
    def summary(self) -> str: ...
    @property
    def made_at(self) -> datetime: ...
    @property
    def details(self) -> dict[str, Any]: ...


@dataclass(frozen=True)
class Sentence:
    """One thing that was done: `who` did `lead`, the `thing` (which has the address `href`), and the `rest`."""

    position: int
    who: str
    by: str
    lead: str
    thing: str
    rest: str
    href: str
    action: str
    made_at: datetime

    @property
    def text(self) -> str:
        """The whole sentence as plain text."""
        return " ".join(f"{self.who} {self.lead}{self.thing}{self.rest}".split())


def _roles(said: Any) -> str:
    return ", ".join(said) if said else "nothing"


OF_PEOPLE: dict[str, Callable[[dict[str, Any]], tuple[str, str]]] = {  # what is said before and after a person's name
    "people.add_member": lambda told: ("let ", f" in as {_roles(told.get('roles'))}"),
    "people.set_roles": lambda told: (
        "changed the roles of ", f" from {_roles(told.get('before'))} to {_roles(told.get('after'))}"
    ),
    "people.remove_member": lambda told: ("took ", " out of the project"),
    "people.disable": lambda told: ("lets ", " in no more"),
    "people.enable": lambda told: ("lets ", " in again"),
}  # fmt: skip


def sentences(workspace: Workspace, events: Iterable[Happened], *, me: str = "") -> list[Sentence]:
    """Say events in sentences, in their order, with one look for all names; who is `me` is called You."""
    rows: Sequence[Happened] = list(events)
    wanted = {_by(row) for row in rows} | {row.subject for row in rows if row.subject.startswith("person/")}
    with workspace.read() as session:
        names = names_of(session, wanted)
    return [_sentence(row, names, me) for row in rows]


def _by(row: Any) -> str:
    return str(getattr(row, "made_by", "") or getattr(row, "by", ""))


def _sentence(row: Happened, names: dict[str, str], me: str) -> Sentence:
    by = _by(row)
    who = "You" if me and by == me else names.get(by, "somebody")
    lead, thing, rest = "", row.summary or row.action, ""
    if row.action in OF_PEOPLE and row.subject in names:
        lead, rest = OF_PEOPLE[row.action](row.details or {})
        thing = "you" if me and row.subject == me else names[row.subject]
    return Sentence(row.position, who, by, lead, thing, rest, address_of(row.subject), row.action, row.made_at)
