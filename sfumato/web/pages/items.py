"""The pictures of a dataset: a grid that is paged and narrowed, one picture, and what was left out."""

from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Query
from starlette.responses import Response

from sfumato.compliance.uses import uses_of
from sfumato.data.items import list_items, show_item
from sfumato.data.shelf import list_choices, list_left_out
from sfumato.errors import NotFound
from sfumato.web.desks import Page
from sfumato.web.kept import kept
from sfumato.web.look import GALLERY_KEYS
from sfumato.web.pages.data import SPLITS, asks_of
from sfumato.web.pictures import tiles_of_items
from sfumato.web.visits import Here

router = APIRouter()
TILES, LEFT = 60, 50
KEYS = (*GALLERY_KEYS[:2], ("/", "search everything"))
Word = Annotated[str, Query(max_length=200)]


@router.get("/data/{name}/items")
def show_items(
    visit: Here,
    *,
    name: str,
    after: Word = "",
    style: Word = "",
    licence: Word = "",
    category: Word = "",
    words: Word = "",
) -> Response:
    """The pictures of a dataset, sixty at a time, narrowed by style, licence, category and words."""
    workspace = visit.workspace
    by = {"style": style, "licence": licence, "category": category, "words": words.strip()}
    rows = list_items(workspace, name=name, after=after or None, limit=TILES + 1, **by)
    given = {key: value for key, value in by.items() if value}
    older = f"/data/{name}/items?" + urlencode(given | {"after": rows[TILES - 1].id}) if len(rows) > TILES else ""
    page = Page("Pictures", "data", crumbs=(("Data", "/data"), (name, f"/data/{name}"), ("Pictures", "")), keys=KEYS)
    choices = kept(workspace, ("choices", name), lambda: list_choices(workspace, name=name))
    return visit.render(
        "data/items.html",
        page=page,
        name=name,
        tiles=tiles_of_items(rows[:TILES], name),
        older=older,
        given=given,
        by=by,
        choices=choices,
        first=f"/data/{name}/items?{urlencode(given)}" if after else "",
        query=urlencode(given),
    )


@router.get("/data/{name}/items/{id}")
def show_one(visit: Here, name: str, id: str) -> Response:
    """One picture: whose it is, what one may do with it, where it came from, and where it went."""
    item = show_item(visit.workspace, id=id)
    if item.dataset != name:
        raise NotFound(f"The dataset '{name}' has no such picture.", hint=f"It is one of '{item.dataset}'.")
    title = item.name or item.key
    page = Page(
        title,
        "data",
        crumbs=(("Data", "/data"), (name, f"/data/{name}"), ("Pictures", f"/data/{name}/items"), (title, "")),
    )
    return visit.render(
        "data/item.html",
        page=page,
        one=item,
        name=name,
        title=title,
        link=item.url if item.url.startswith(("https://", "http://")) else "",
        uses=uses_of(visit.workspace, id=item.id),
        asks=asks_of({item.licence: 1})[0][2],
        splits=SPLITS,
    )


@router.get("/items/{id}")
def find_one(visit: Here, id: str) -> Response:
    """A picture of any dataset, at its own page."""
    found = show_item(visit.workspace, id=id)
    return visit.go(f"/data/{found.dataset}/items/{found.id}")


@router.get("/data/{name}/left-out")
def show_left_out(visit: Here, name: str, after: Word = "", reason: Word = "") -> Response:
    """What the sources had that could not be taken, and why."""
    rows = list_left_out(visit.workspace, name=name, after=after or None, limit=LEFT + 1, reason=reason)
    given = {"reason": reason} if reason else {}
    older = f"/data/{name}/left-out?" + urlencode(given | {"after": rows[LEFT - 1].id}) if len(rows) > LEFT else ""
    page = Page("Left out", "data", crumbs=(("Data", "/data"), (name, f"/data/{name}"), ("Left out", "")))
    return visit.render(
        "data/left_out.html", page=page, name=name, rows=rows[:LEFT], older=older, reason=reason, after=after
    )
