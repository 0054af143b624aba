"""Any record: who made it, when, by which action, what it came of, what came of it, and what people say of it."""

import re
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Form
from starlette.responses import Response

from sfumato.actions import Workspace
from sfumato.actions.registry import allowed
from sfumato.compliance.inspection import RecordView, show_record
from sfumato.errors import NotFound, SfumatoError
from sfumato.people.comments import comments_on, write_comment
from sfumato.web.desks import Page
from sfumato.web.places import kind_in_words, place_of
from sfumato.web.visits import Here, Visit
from sfumato.web.words import date

router = APIRouter()
REF = re.compile(r"[a-z_]{1,40}/[A-Za-z0-9._-]{1,100}")
Words = Annotated[str, Form(max_length=4_000)]


@router.post("/records/comments")
def comment(visit: Here, about: Words, text: Words) -> Response:
    """Say something on a record, and look at it again."""
    write_comment(visit.workspace, about=about, text=text)
    return visit.go(f"{place_of(about)}#comments")


@router.get("/records/{ref:path}")
def show(visit: Here, ref: str) -> Response:
    """The page of a record, or, for the inspector, what stands in it."""
    if not REF.fullmatch(ref):
        raise NotFound(f"There is no record '{ref[:80]}'.", hint="Records are named kind/ID.")
    found = show_record(visit.workspace, ref=ref)
    word = kind_in_words(found.kind)
    page = Page(found.title, crumbs=(("Records", ""), (word, ""), (found.title, "")), keys=(("i", "open the record"),))
    name = "records/body.html" if visit.header("x-part") == "record" else "records/index.html"
    return visit.render(name, page=page, word=word, **told(visit, found))


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
