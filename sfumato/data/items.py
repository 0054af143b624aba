"""Looking at the pictures of a dataset, one by one and a grid at a time."""

import io
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from sqlalchemy import select
from sqlalchemy.orm import Session

from sfumato.actions import Act, Workspace, query
from sfumato.data.collect import find_dataset
from sfumato.data.drawing import Drawer
from sfumato.data.narrowing import Where, narrow
from sfumato.data.pictures import kind_of, open_picture
from sfumato.data.records import KEPT, Dataset, Decided, Item
from sfumato.errors import InvalidInput, NotFound
from sfumato.store.files import write_whole

SIDE = 160  # pixels of a thumbnail's longer side
ALL = "all"  # instead of a state


@dataclass(frozen=True)
class ItemView:
    """One picture of a dataset with all that is known of it."""

    id: str
    dataset: str
    name: str
    key: str
    concept: str
    style: str
    category: str
    tags: list[str]
    licence: str
    author: str
    source: str
    source_version: str
    url: str
    sha256: str
    width: int
    height: int
    has_alpha: bool
    flip_ok: bool
    weight: float
    collected_at: datetime
    state: str
    revision: int
    consent: str
    opt_out: str
    evidence: dict[str, Any]  # what the file or its row says of itself, by name: value and where it was found
    attributes: dict[str, Any]
    suggested: dict[str, Any]
    family: str
    given_split: str
    edited: list[str]


@query("item.list", doors=("api",))
def list_items(
    act: Act,
    *,
    name: str,
    after: str | None = None,
    limit: int = 60,
    style: str = "",
    licence: str = "",
    category: str = "",
    concept: str = "",
    words: str = "",
    state: str = KEPT,
    where: str = "",
) -> list[ItemView]:
    """Pictures of the dataset `name`, in the order in which they came; `after` is the id of the last one seen.

    Those that are kept, unless `state` says "left out" or "all"; `where` narrows further, as JSON.
    """
    dataset = find_dataset(act.session, name)
    asked = {"style": style, "licence": licence, "category": category, "concept": concept, "words": words}
    asked["state"] = "" if state == ALL else state
    meant = read_where(where)
    meant = meant.model_copy(
        update={column: said for column, said in asked.items() if said and not getattr(meant, column)}
    )
    found = narrow(select(Item), dataset.id, meant).order_by(Item.id).limit(limit)
    if after:
        found = found.where(Item.id > after)
    return [view(row, dataset.name) for row in act.session.scalars(found)]


def read_where(said: str) -> Where:
    """A Where that came as JSON, the empty one for ""; raises InvalidInput."""
    try:
        return Where.model_validate_json(said or "{}")
    except ValidationError as problem:
        first = problem.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise InvalidInput(
            f"`where` cannot be read{f' at {place}' * bool(place)}: {first['msg']}.",
            hint=f"It is JSON with these parts: {', '.join(Where.model_fields)}.",
        ) from problem


@query("item.show", doors=("api",))
def show_item(act: Act, *, id: str) -> ItemView:
    """One picture of a dataset, by its id or the end of it."""
    row, dataset = find_item(act.session, id)
    return view(row, dataset)


@query("item.content", doors=())
def content_of(act: Act, *, id: str, sha256: str = "") -> str:
    """A picture's content: that of now, or `sha256` where it was that once. Raises NotFound where it never was."""
    row, _ = find_item(act.session, id)
    if sha256 and sha256 not in contents_of(act.session, row):
        raise NotFound("This picture never had that content.", hint="Leave `sha256` out for what it is now.")
    return sha256 or row.sha256


def contents_of(session: Session, row: Item) -> list[str]:
    """All contents that a picture has and had, that of now first: one that was cropped or turned had others."""
    made = select(Decided.before, Decided.after).where(Decided.item_id == row.id) if row.collected_sha256 else None
    pairs = session.execute(made).all() if made is not None else []
    had = [one["sha256"] for pair in pairs for one in pair if "sha256" in one]
    return list(dict.fromkeys(one for one in (row.sha256, row.collected_sha256, *had) if one))


@query("item.find", doors=("api",))
def items_of_content(act: Act, *, sha256: str) -> list[ItemView]:
    """The pictures of this project's datasets that have this very content, at most twenty; none where there is none.

    Where none has it now, those that had it when they were collected.
    """
    both = select(Item, Dataset.name).join(Dataset, Dataset.id == Item.dataset_id).order_by(Item.id).limit(20)
    found = act.session.execute(both.where(Item.sha256 == sha256)).all()
    found = found or act.session.execute(both.where(Item.collected_sha256 == sha256)).all()
    return [view(row, dataset) for row, dataset in found]


def find_item(session: Session, said: str) -> tuple[Item, str]:
    """The item with this id or ending, and its dataset's name; raises NotFound."""
    same = Item.id == said if len(said) >= 36 else Item.id.endswith(said, autoescape=True)
    both = select(Item, Dataset.name).join(Dataset, Dataset.id == Item.dataset_id).where(same).limit(2)
    rows = session.execute(both).all() if len(said) >= 4 else []
    if len(rows) != 1:
        raise NotFound(f"There is no single picture '{said}' in the datasets.", hint="Write its whole id.")
    return rows[0][0], rows[0][1]


def view(row: Item, dataset: str) -> ItemView:
    """Copy a row into what may leave its session."""
    plain: dict[str, Any] = {name: getattr(row, name) for name in ItemView.__dataclass_fields__ if name != "dataset"}
    return ItemView(dataset=dataset, **plain)


def thumbnail(workspace: Workspace, sha256: str) -> Path:
    """A small WebP of kept bytes, made once; raises NotFound, or Unusable for what cannot be drawn.

    It is for whoever may see the record that the bytes belong to: ask for that first.
    """
    path = workspace.path / "cache" / "thumbs" / sha256[:2] / f"{sha256}-{SIDE}.webp"
    if path.exists():
        return path
    data = workspace.store.get(sha256)
    with Drawer() as drawer:
        picture = open_picture(data, workspace.settings.max_pixels, svg_size=SIDE, draw=drawer.draw)
    picture.thumbnail((SIDE, SIDE))
    out = io.BytesIO()
    picture.save(out, "WEBP", quality=88, method=2, lossless=max(picture.size) <= 64)
    write_whole(path, out.getvalue())
    return path


def original(workspace: Workspace, sha256: str) -> tuple[bytes, str]:
    """Kept bytes and their MIME type; an SVG, which could act by itself, is given as the PNG that it draws."""
    data = workspace.store.get(sha256)
    kind = kind_of(data)
    if kind != "svg":
        return data, f"image/{kind}" if kind else "application/octet-stream"
    path = workspace.path / "cache" / "drawn" / sha256[:2] / f"{sha256}.png"
    if not path.exists():
        with Drawer() as drawer:
            picture = open_picture(data, workspace.settings.max_pixels, svg_size=512, draw=drawer.draw)
        out = io.BytesIO()
        picture.save(out, "PNG")
        write_whole(path, out.getvalue())
    return path.read_bytes(), "image/png"
