"""The pictures of a dataset: a grid that is paged and narrowed, one picture, and what was left out."""

from typing import Annotated
from urllib.parse import urlencode

from fastapi import Query
from starlette.requests import Request
from starlette.responses import Response

from sfumato.actions.registry import allowed
from sfumato.compliance.uses import uses_of
from sfumato.data.charts import can_draw
from sfumato.data.explore import Overview, show_histograms, show_window
from sfumato.data.freeze import SPLITS
from sfumato.data.history import item_history
from sfumato.data.items import ItemView, show_item
from sfumato.data.narrowing import Where
from sfumato.data.records import called
from sfumato.data.scan import list_checks
from sfumato.data.shelf import list_left_out
from sfumato.data.slices import list_slices
from sfumato.errors import NotFound, SfumatoError
from sfumato.people.wording import shortened
from sfumato.web.addresses import Router
from sfumato.web.desks import Page
from sfumato.web.facets import facets_of
from sfumato.web.pages.data import WHY, asks_of
from sfumato.web.sent import said
from sfumato.web.visits import Here, Visit
from sfumato.web.wheres import address, chips_of, pairs_of, title, where_from

router = Router()
TILES, LEFT = 60, 50
LONGEST = 120  # letters of a caption that stands as a heading
KEYS = (
    ("← → ↑ ↓", "move"), ("Enter", "open"), ("Space", "select"), ("Shift", "with an arrow: select on the way"),
    ("a", "select all"), ("Esc", "select none"), ("x", "leave out"), ("k", "keep"), ("u", "undo the last decision"),
)  # fmt: skip
Word = Annotated[str, Query(max_length=200)]


@router.get("/data/{name}/items")
def show_items(visit: Here, name: str, request: Request, start: int = 0, order: Word = "") -> Response:
    """The pictures of a dataset, narrowed by what its address says, with the distributions that narrow further."""
    return show_grid(visit, name, where_from(request.query_params.multi_items()), start=start, order=order)


def show_grid(
    visit: Visit, name: str, where: Where, *, start: int = 0, order: str = "", wrong: SfumatoError | None = None
) -> Response:  # fmt: skip
    """The pictures that are meant, and what could not be done with them."""
    workspace, path = visit.workspace, f"/data/{name}/items"
    seen = show_histograms(workspace, name=name, where=where)
    order = order if order.removeprefix("-") in {one.column for one in seen.histograms} else ""
    window = show_window(workspace, name=name, where=where, start=start, count=TILES, order=order)
    page = Page("Pictures", "data", crumbs=(("Data", "/data"), (name, f"/data/{name}"), ("Pictures", "")), keys=KEYS)
    titles = {one.name: one.title for one in list_checks(workspace)}
    more = str(start + TILES) if start + TILES < window.n else ""
    return visit.render(
        "data/items.html",
        status=wrong.status if wrong else 200,
        page=page,
        name=name,
        path=path,
        where=where,
        where_json=where.model_dump_json(exclude_defaults=True),
        narrowed=where != Where(),
        pairs=pairs_of(where),
        query=urlencode(pairs_of(where)),
        chips=chips_of(path, where, titles),
        facets=facets_of(path, seen, where, titles),
        drawn=can_draw(),
        slices=[(one.name, one.n, address(path, one.where)) for one in list_slices(workspace, name=name)],
        orders=orders_of(seen),
        attributes=[one.column[10:] for one in seen.values if one.column.startswith("attribute ")],
        order=order,
        total=seen.of,
        n=window.n,
        start=start,
        tiles=window.items,
        older=address(path, where, order=order, start=more) if more else "",
        first=address(path, where, order=order),
        may=allowed(workspace, "dataset.write"),
        why=WHY,
        **said(wrong),
    )


def orders_of(seen: Overview) -> list[tuple[str, str]]:
    """The orders in which pictures can be looked at: each measured column, from both ends."""
    ends = (("", "least first"), ("-", "most first"))
    return [(f"{sign}{one.column}", f"{title(one.column)}, {says}") for one in seen.histograms for sign, says in ends]


@router.get("/data/{name}/items/{id}")
def show_one(visit: Here, name: str, id: str) -> Response:
    """One picture: whose it is, what was found and decided of it, what one may do with it, and where it went."""
    return show_picture(visit, name, id)


def show_picture(
    visit: Visit, name: str, id: str, wrong: SfumatoError | None = None, typed: dict[str, str] | None = None
) -> Response:
    """One picture's page; what somebody `typed` stays in the form where it was refused."""
    item = show_item(visit.workspace, id=id)
    if item.dataset != name:
        raise NotFound(f"The dataset '{name}' has no such picture.", hint=f"It is one of '{item.dataset}'.")
    name_of = shortened(called(item.name, item.key), LONGEST)
    here = (shortened(name_of, 40), "")
    page = Page(
        name_of,
        "data",
        crumbs=(("Data", "/data"), (name, f"/data/{name}"), ("Pictures", f"/data/{name}/items"), here),
    )
    return visit.render(
        "data/item.html",
        status=wrong.status if wrong else 200,
        page=page,
        one=item,
        name=name,
        title=name_of,
        link=item.url if item.url.startswith(("https://", "http://")) else "",
        uses=uses_of(visit.workspace, id=item.id),
        asks=asks_of({item.licence: 1})[0][2],
        splits=SPLITS,
        history=item_history(visit.workspace, id=item.id),
        checks={one.name: one.title for one in list_checks(visit.workspace)},
        typed=typed or known_of(item),
        drawing=item.key.lower().endswith(".svg"),
        may=allowed(visit.workspace, "dataset.write"),
        why=WHY,
        **said(wrong),
    )


def known_of(item: ItemView) -> dict[str, str]:
    """What is known of a picture, as the form that changes it has it."""
    return {
        "caption": item.name, "tags": "\n".join(item.tags), "licence": item.licence, "consent": item.consent,
        "attributes": "\n".join(f"{key}: {value}" for key, value in item.attributes.items()),
    }  # fmt: skip


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
