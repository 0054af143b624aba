"""Any record at one address: sent on to its own page, or shown as it describes itself; and the comments on it."""

from typing import Annotated

from fastapi import APIRouter, Form, Query
from starlette.requests import Request
from starlette.responses import Response

from sfumato.actions.events import list_events
from sfumato.actions.registry import allowed
from sfumato.people.asks import asks_about
from sfumato.people.comments import comments_on, edit_comment, withdraw_comment, write_comment
from sfumato.web.asking import cards
from sfumato.web.desks import Page
from sfumato.web.places import ABOUT, OWN, PAGES, address_of
from sfumato.web.sentences import sentences
from sfumato.web.shown import show
from sfumato.web.visits import Here

router = APIRouter()
Words = Annotated[str, Form(max_length=10_000)]
Ref = Annotated[str, Form(max_length=200)]
Back = Annotated[str, Form(max_length=2_000)]


@router.get("/records/{ref:path}")
def show_record(visit: Here, request: Request, ref: str) -> Response:
    """A record at its own page if the studio has one, else as it describes itself."""
    one, row = show(visit.workspace, ref)
    kind = ref.partition("/")[0]
    if kind in ABOUT:
        about = str(getattr(row, ABOUT[kind]))
        return visit.go(address_of(about if "/" in about else f"ask/{about}"))
    known = {getattr(route, "path", "").partition("{")[0] for route in request.app.routes}
    for place in (*PAGES.get(kind, ()), *([OWN[kind]] if kind in OWN else ())):
        if place.partition("{")[0] in known:
            parts = {name: getattr(row, name) for name in ("id", "name", "position") if hasattr(row, name)}
            return visit.go(place.format(**parts))
    return visit.render(
        "records/page.html", page=Page(one.title, crumbs=((one.kind.capitalize(), ""), (one.title, ""))), one=one, row=row,
        said=comments_on(visit.workspace, about=ref), asks=cards(visit, asks_about(visit.workspace, ref=ref)),
        may_comment=allowed(visit.workspace, "comment.write"),
        done=sentences(visit.workspace, list_events(visit.workspace, subject=ref, limit=20), me=visit.me.id),
    )  # fmt: skip


@router.get("/comments")
def list_comments(visit: Here, about: Annotated[str, Query(max_length=200)], back: str = "/") -> Response:
    """The comments on a record as the part of a page, drawn anew when somebody says something."""
    said = comments_on(visit.workspace, about=about)
    page = Page("Comments", here=back if back.startswith("/") else "/")
    return visit.render("records/comments.html", page=page, said=said, about=about)


@router.post("/comments")
def write(visit: Here, about: Ref, text: Words, back: Back = "") -> Response:
    """Say something on a record, and go back to where it was said."""
    write_comment(visit.workspace, about=about, text=_plain(text))
    return visit.go(back or address_of(about))


@router.post("/comments/{comment}")
def edit(visit: Here, comment: str, text: Words, back: Back = "") -> Response:
    """Put other words in the place of one's own."""
    row = edit_comment(visit.workspace, comment=comment, text=_plain(text))
    return visit.go(back or address_of(row.about))


@router.post("/comments/{comment}/withdraw")
def withdraw(visit: Here, comment: str, back: Back = "/") -> Response:
    """Take a comment back."""
    withdraw_comment(visit.workspace, comment=comment)
    return visit.go(back)


def _plain(text: str) -> str:
    """Browsers end lines as the net does; people's words are kept as they are on every system."""
    return text.replace("\r\n", "\n").strip()
