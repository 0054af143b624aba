"""Any record: who made it, when, by which action, what it came of, what came of it, and what people say of it."""

import re
from datetime import datetime
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import Form, Query
from starlette.requests import Request
from starlette.responses import Response

from sfumato.actions import Workspace
from sfumato.actions.registry import allowed
from sfumato.compliance.inspection import RecordView, show_record
from sfumato.errors import NotFound, SfumatoError
from sfumato.people.comments import comments_on, edit_comment, withdraw_comment, write_comment
from sfumato.web.addresses import Router
from sfumato.web.desks import Page
from sfumato.web.places import ABOUT, OWN, PAGES, address_of, kind_in_words, place_of
from sfumato.web.shown import show as look_up
from sfumato.web.visits import Here, Visit
from sfumato.web.words import date

router = Router()
ID = 36  # letters of a record's id
REF = re.compile(r"[a-z_]{1,40}/[A-Za-z0-9._-]{1,100}")
Words = Annotated[str, Form(max_length=10_000)]
Ref = Annotated[str, Form(max_length=200)]
Back = Annotated[str, Form(max_length=2_000)]


@router.get("/records/{ref:path}")
def show(visit: Here, request: Request, ref: str) -> Response:
    """The page of a record, its own where its kind has one, or, for the inspector, what stands in it."""
    if not REF.fullmatch(ref):
        raise NotFound(f"There is no record '{ref[:80]}'.", hint="Records are named kind/ID.")
    if visit.header("x-part") != "record" and (own := own_page(visit.workspace, request, ref)):
        return visit.go(own)
    found = show_record(visit.workspace, ref=ref)
    word = kind_in_words(found.kind)
    page = Page(found.title, crumbs=(("Records", ""), (word, ""), (found.title, "")), keys=(("i", "open the record"),))
    name = "records/body.html" if visit.header("x-part") == "record" else "records/index.html"
    return visit.render(name, page=page, word=word, **told(visit, found))


def own_page(workspace: Workspace, request: Request, ref: str) -> str:
    """The address of a record's own page, "" where the studio has none for its kind."""
    kind, _, key = ref.partition("/")
    if kind not in (*ABOUT, *PAGES, *OWN):
        return ""
    named = next((place for place in PAGES.get(kind, ()) if "{name}" in place), "")
    try:
        _, row = look_up(workspace, ref)
    except NotFound:
        if not named or len(key) == ID:
            raise
        return named.format(name=quote(key))  # jobs tell by its name what they are about
    if kind in ABOUT:
        about = str(getattr(row, ABOUT[kind]))
        return address_of(about if "/" in about else f"ask/{about}")
    known = {getattr(route, "path", "").partition("{")[0] for route in request.app.routes}
    for place in (*PAGES.get(kind, ()), *([OWN[kind]] if kind in OWN else ())):
        if place.partition("{")[0].partition("?")[0] in known:
            parts = {name: getattr(row, name) for name in ("id", "name", "position") if hasattr(row, name)}
            return place.format(**parts)
    return ""


def told(visit: Visit, found: RecordView) -> dict[str, Any]:
    """What the templates of a record need."""
    own = place_of(found.ref)
    return {
        "record": found,
        "facts_shown": [(name.replace("_", " ").capitalize(), shown(value)) for name, value in found.facts.items()],
        "own": own if not own.startswith("/records/") else "",
        "place": place_of,
        "kind_word": kind_in_words,
        "comments_shown": _comments(visit.workspace, found.ref),
        "may_comment": allowed(visit.workspace, "comment.write"),
    }


def shown(value: Any) -> str:
    """A fact as text: lists in a row, counts by name, moments as dates."""
    if isinstance(value, dict):
        return ", ".join(f"{name or 'none'}: {shown(one)}" for name, one in list(value.items())[:20])
    if isinstance(value, list | tuple):
        return ", ".join(shown(one) for one in value[:20])
    if isinstance(value, datetime):
        return date(value, True)
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "" if value is None else str(value)


def _comments(workspace: Workspace, ref: str) -> list[dict[str, Any]]:
    try:
        found = comments_on(workspace, about=ref, limit=200)
    except SfumatoError:  # what came along has no row that could be spoken of
        return []
    return [{"made_by": one.by_name, "made_at": one.made_at, "text": one.text} for one in found]


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
    return visit.go(back or f"{place_of(about)}#comments")


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
