"""Search over everything: results by kind, walked by the arrow keys."""

from typing import Annotated

from fastapi import Query
from starlette.responses import Response

from sfumato.compliance.search import COUNTED, LONGEST, Hits, search
from sfumato.errors import InvalidInput
from sfumato.web.addresses import Router
from sfumato.web.desks import Page
from sfumato.web.places import place_of
from sfumato.web.visits import Here

router = Router()
KINDS = {
    "dataset": ("Datasets", "database"), "run": ("Runs", "activity"), "model": ("Models", "box"),
    "request": ("What was asked for", "sparkles"), "item": ("Pictures of datasets", "images"),
    "dataset_version": ("Frozen versions", "snowflake"), "job": ("Jobs", "list-checks"), "image": ("Pictures", "image"),
    "ask": ("Asks", "message-circle-question-mark"), "comment": ("Comments", "message-square"),
    "person": ("People", "users"),
}  # fmt: skip
KEYS = (("↓ ↑", "move among the results"), ("Enter", "open one"), ("/", "search again"))


@router.get("/search")
def show_search(visit: Here, q: Annotated[str, Query()] = "", kind: str = "") -> Response:
    """Everything that has these words, by kind."""
    words, wrong, found = q.strip(), "", list[Hits]()
    try:
        found = search(visit.workspace, q=words, kind=kind, limit=48 if kind else 8) if words else []
    except InvalidInput as refused:
        words, wrong = words[:LONGEST], f"{refused.message} {refused.hint}".strip()
    page = Page("Search", crumbs=(("Search", ""),), keys=KEYS)
    return visit.render(
        "search/page.html", page=page, q=words, found=found, wrong=wrong, kinds=KINDS, kind=kind, counted=COUNTED,
        place=place_of,
    )  # fmt: skip
