"""Looking for anything by its name, its words, or its id: one field for all that a project holds."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, func, or_, select

from sfumato.actions import Act, query
from sfumato.checkpoints.records import Model
from sfumato.data.records import LEFT_OUT, Dataset, DatasetVersion, Item
from sfumato.db import Record
from sfumato.errors import InvalidInput
from sfumato.generation.records import Image, Request
from sfumato.jobs.records import Job
from sfumato.training.records import Run

COUNTED = 1_000  # of one kind; what is more is told as "more than"
LONGEST = 200


@dataclass(frozen=True)
class Hit:
    """One record that was found."""

    kind: str
    id: str
    ref: str
    title: str
    says: str = ""
    picture: str = ""


@dataclass(frozen=True)
class Hits:
    """What was found of one kind: how many (at most `COUNTED` are counted), and the first of them."""

    kind: str
    n: int
    hits: list[Hit]


@dataclass(frozen=True)
class Place:
    """A kind of record that is looked through: the columns with its words, and what is said of it."""

    table: type[Record]
    words: tuple[Any, ...]
    title: str
    says: str = ""
    picture: str = ""


PLACES = (
    Place(Dataset, (Dataset.name,), "name"),
    Place(Run, (Run.name, Run.recipe), "name", "recipe"),
    Place(Model, (Model.name,), "name"),
    Place(Request, (Request.prompt,), "prompt", "model"),
    Place(Item, (Item.name, Item.concept), "name", "licence", "sha256"),
    Place(DatasetVersion, (DatasetVersion.name,), "name"),
    Place(Job, (Job.kind,), "kind", "status"),
    Place(Image, (), "id", "request_id", "sha256"),
)


@query("search.everything", doors=("api",))
def search(act: Act, *, q: str, kind: str = "", limit: int = 8) -> list[Hits]:
    """Everything that has all of these words, or whose id begins or ends with them, by kind: the most telling first."""
    words = q.split()
    if not words or len(q) > LONGEST:
        raise InvalidInput(f"Say what to look for, in 1 to {LONGEST} characters.")
    known = {place.table.KIND: place for place in PLACES}
    if kind and kind not in known:
        raise InvalidInput(f"There is no kind '{kind}'.", hint=f"There is: {', '.join(known)}.")
    found = [_look(act, place, words[:8], limit) for name, place in known.items() if kind in ("", name)]
    return [one for one in found if one.n]


def _look(act: Act, place: Place, words: list[str], limit: int) -> Hits:
    table = place.table
    matching = _matching(place, words)
    if matching is None:
        return Hits(table.KIND, 0, [])
    first = select(table).where(matching).order_by(table.id.desc()).limit(limit)
    some: Select[Any] = select(table.id).where(matching).limit(COUNTED)
    n = act.session.scalar(select(func.count()).select_from(some.subquery())) or 0
    hits = [_hit(place, row) for row in act.session.scalars(first)] if n else []
    return Hits(table.KIND, n, hits)


def _matching(place: Place, words: list[str]) -> ColumnElement[bool] | None:
    """All words in its texts, or its one word as an id; None where nothing can match."""
    ways: list[ColumnElement[bool]] = []
    if place.words:
        each = [or_(*(column.icontains(word, autoescape=True) for column in place.words)) for word in words]
        together = each[0]
        for one in each[1:]:
            together &= one
        ways.append(together)
    said = words[0].rpartition("/")[2].lower() if len(words) == 1 else ""
    if len(said) >= 4 and set(said) <= set("0123456789abcdef-"):
        own = place.table.id
        ways.append(own.startswith(said, autoescape=True) | own.endswith(said, autoescape=True))
    return or_(*ways) if ways else None


def _hit(place: Place, row: Any) -> Hit:
    title = str(getattr(row, place.title)) or row.ref
    if isinstance(row, Image):
        title = f"picture {row.place + 1}, seed {row.seed}"
    says = str(getattr(row, place.says)) if place.says else ""
    if isinstance(row, Item) and row.state == LEFT_OUT:
        says = f"{says}, left out"
    return Hit(
        row.KIND, row.id, row.ref, title, says,
        getattr(row, place.picture) if place.picture else "",
    )  # fmt: skip
