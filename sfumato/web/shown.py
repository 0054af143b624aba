"""Records as pages name them: what one is called, where it is, and its small picture."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from sqlalchemy.orm import Session

from sfumato.actions import Workspace
from sfumato.data.records import Item
from sfumato.db import Record
from sfumato.db.kinds import get_record
from sfumato.errors import NotFound
from sfumato.generation.records import Image, Request
from sfumato.people.addressees import names_of
from sfumato.people.records import Project
from sfumato.web.places import OWN, PAGES, address_of

API = "/api/v1"
CALLED = {"image": "picture", "item": "picture of a dataset"}


@dataclass(frozen=True)
class Shown:
    """A record in few words."""

    ref: str
    title: str
    href: str
    picture: str = ""
    kind: str = ""
    by: str = ""
    facts: dict[str, object] = field(default_factory=dict)

    @property
    def pin(self) -> tuple[str, str, str]:
        """What the card of an ask takes."""
        return self.title, self.href, self.picture


def shown(workspace: Workspace, refs: Iterable[str]) -> list[Shown]:
    """Records by reference, in their order; one that is not here, or not for whoever looks, keeps its reference."""
    with workspace.read() as session:
        return [_shown(session, ref) for ref in refs]


def show(workspace: Workspace, ref: str) -> tuple[Shown, Record]:
    """One record that must be here; raises NotFound."""
    with workspace.read() as session:
        row = get_record(session, ref)
        if row is None:
            raise NotFound("There is no such record in this project.", hint="Look for it with the search.")
        return _shown(session, ref), row


def _shown(session: Session, ref: str) -> Shown:
    row = get_record(session, ref)
    kind, _, key = ref.partition("/")
    kind = CALLED.get(kind, kind.replace("_", " "))
    if row is None:
        called = _called(session, ref)
        if called:
            return Shown(ref, called, address_of(ref), kind=kind)
        return Shown(ref, f"{kind} {key[-6:]}".strip(), address_of(ref), kind=kind)
    told = row.describe()
    title, picture = told.title, ""
    if isinstance(row, Image):
        asked = session.get(Request, row.request_id)
        title, picture = (asked.prompt if asked else title), f"{API}/images/{row.id}/file"
    elif isinstance(row, Item):
        picture = f"{API}/items/{row.id}/thumb"
    by = names_of(session, [row.made_by])[row.made_by]
    return Shown(ref, title, address_of(ref), picture, kind, by, dict(told.facts))


def _called(session: Session, ref: str) -> str:
    """What somebody or a project is called, which no trace comes upon."""
    if ref.startswith("person/"):
        return names_of(session, [ref])[ref]
    project = session.get(Project, ref.removeprefix("project/")) if ref.startswith("project/") else None
    return project.name if project is not None else ""


def ref_of(said: str) -> str:
    """The reference in what somebody wrote or pasted: kind/id, or the address of a page that shows the record."""
    path = said.strip().partition("?")[0].partition("#")[0]
    if "://" in path:
        path = "/" + path.partition("://")[2].partition("/")[2]
    if path.startswith("/records/"):
        return path.removeprefix("/records/")
    ways = {kind: places for kind, places in PAGES.items()} | {kind: (place,) for kind, place in OWN.items()}
    for kind, places in ways.items():
        for place in places:
            begins, _, wants = place.partition("{")
            if wants == "id}" and path.startswith(begins) and len(path) > len(begins):
                return f"{kind}/{path.removeprefix(begins).partition('/')[0]}"
    return path
