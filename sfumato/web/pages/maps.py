"""The map of a dataset, where pictures that look alike lie near each other; and pictures like one of them."""

from contextlib import suppress
from typing import Annotated

from fastapi import Query
from starlette.responses import Response

from sfumato.actions.registry import allowed
from sfumato.compliance.work import list_work
from sfumato.data.alike import find_alike
from sfumato.data.collect import show_dataset
from sfumato.data.items import show_item
from sfumato.data.map import draw_map, show_map
from sfumato.data.records import called
from sfumato.errors import Conflict, SfumatoError
from sfumato.web.addresses import Router
from sfumato.web.desks import Page
from sfumato.web.pages.data import WHY
from sfumato.web.sent import said
from sfumato.web.visits import Here, Visit, counted
from sfumato.web.working import shown

router = Router()
NEAREST = 48
KEYS = (
    ("← → ↑ ↓", "move the frame"), ("Shift", "with an arrow: change its size"), ("Enter", "select what is in it"),
    ("Esc", "select none"), ("x", "leave out"), ("k", "keep"), ("u", "undo the last decision"),
)  # fmt: skip
Word = Annotated[str, Query(max_length=200)]


@router.get("/data/{name}/map")
def show_one(visit: Here, name: str) -> Response:
    """The map, with a lasso for pointers and a frame for keys."""
    return _map(visit, name)


def _map(visit: Visit, name: str, wrong: SfumatoError | None = None) -> Response:
    workspace = visit.workspace
    work = [card for card in list_work(workspace, about=f"dataset/{name}", limit=6) if card.job.kind == "data.map"]
    one, found = show_dataset(workspace, name=name), None
    with suppress(Conflict):  # none was drawn yet, which the page says
        found = show_map(workspace, name=name)
    page = Page("Map", "data", crumbs=(("Data", "/data"), (name, f"/data/{name}"), ("Map", "")), keys=KEYS)
    return visit.render(
        "data/map.html", status=wrong.status if wrong else 200, page=page, name=name, one=one, found=found,
        work=[shown(card, visit.me) for card in work], may=allowed(workspace, "dataset.write"), why=WHY, **said(wrong),
    )  # fmt: skip


@router.post("/data/{name}/map")
@counted("upload")
def ask_for_map(visit: Here, name: str) -> Response:
    """Ask for the map to be drawn, or drawn anew."""
    draw_map(visit.workspace, name=name)
    return visit.go(f"/data/{name}/map")


@router.get("/data/{name}/items/{id}/alike")
def show_alike(visit: Here, name: str, id: str) -> Response:
    """The pictures of a dataset that look most like one of them, the nearest first."""
    item, wrong = show_item(visit.workspace, id=id), None
    try:
        found = find_alike(visit.workspace, name=name, id=item.id, limit=NEAREST)
    except Conflict as refused:
        found, wrong = [], refused
    title = called(item.name, item.key)
    crumbs = (("Data", "/data"), (name, f"/data/{name}"), (title, f"/data/{name}/items/{item.id}"), ("Like it", ""))
    return visit.render(
        "data/alike.html", page=Page(f"Like {title}", "data", crumbs=crumbs), name=name, one=item, title=title,
        tiles=[{"id": each.id, "href": f"/data/{name}/items/{each.id}", "src": f"/api/v1/items/{each.id}/thumb",
                "alt": each.name, "model": f"{each.cosine:.2f}"} for each in found],
        may=allowed(visit.workspace, "dataset.write"), **said(wrong),
    )  # fmt: skip
