"""Captions of many pictures at once: what would change is shown before it is changed, as one decision."""

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from sfumato.actions import Workspace
from sfumato.actions.registry import allowed
from sfumato.data.caption_edits import CaptionPreview, edit_captions, preview_captions
from sfumato.data.items import ItemView, list_items, read_where
from sfumato.data.narrowing import Where
from sfumato.data.suggest import accept_suggestions, refuse_suggestions, suggest_captions
from sfumato.errors import Conflict, InvalidInput, NotFound, SfumatoError
from sfumato.web.addresses import Router
from sfumato.web.desks import Page
from sfumato.web.pages.data import WHY
from sfumato.web.sent import Sent, said
from sfumato.web.visits import Here, Visit, counted
from sfumato.web.wheres import address, chips_of, pairs_of, where_from

router = Router()
WAITING = 60  # suggestions that are shown at once
HELPERS = {
    "file": "words in the file", "folder": "the name of its folder", "neighbours": "pictures that look like it",
    "labels": "what a network sees in it",
}  # fmt: skip
TEXTS = ("find", "replace", "remove", "add_before", "add_after")
TICKS = ("regex", "case", "lint")


@router.get("/data/{name}/captions")
def show_captions(visit: Here, name: str, request: Request) -> Response:
    """The form that changes captions, and what it would do with what was typed."""
    return _captions(visit, name, where_from(request.query_params.multi_items()), dict(request.query_params))


def _captions(
    visit: Visit, name: str, where: Where, form: dict[str, str], wrong: SfumatoError | None = None
) -> Response:
    typed = edit_of(form)
    path = f"/data/{name}/captions"
    seen: CaptionPreview | None = None
    if any(typed[one] for one in ("find", "remove", "add_before", "add_after", "lint")):
        try:
            where_json = where.model_dump_json(exclude_defaults=True)
            seen = preview_captions(visit.workspace, name=name, where=where_json, limit=40, **typed)
        except (InvalidInput, NotFound) as refused:
            wrong = wrong or refused
    elif "find" in form and wrong is None:
        wrong = InvalidInput("Nothing was said that would change.", hint="Write what to find, add or take away.")
    page = Page("Captions", "data", crumbs=(("Data", "/data"), (name, f"/data/{name}"), ("Captions", "")))
    return visit.render(
        "data/captions.html", status=wrong.status if wrong else 200, page=page, name=name, path=path, typed=typed,
        seen=seen, waiting=waiting_of(visit.workspace, name, where),
        pairs=pairs_of(where), chips=chips_of(path, where, {}), where=where, narrowed=where != Where(),
        where_json=where.model_dump_json(exclude_defaults=True), grid=address(f"/data/{name}/items", where),
        may=allowed(visit.workspace, "dataset.write"), why=WHY, **said(wrong),
    )  # fmt: skip


def waiting_of(workspace: Workspace, name: str, where: Where) -> list[tuple[ItemView, str, str]]:
    """The pictures with a suggested caption, the text and who suggested it."""
    asked = where.model_copy(update={"suggested": True}).model_dump_json(exclude_defaults=True)
    rows = list_items(workspace, name=name, where=asked, limit=WAITING)
    found = [(one, one.suggested.get("name") or {}) for one in rows]
    return [(one, said["text"], HELPERS.get(said.get("by", ""), "")) for one, said in found if said.get("text")]


def edit_of(form: dict[str, str]) -> dict[str, Any]:
    """What is to be done to captions, as the form says it."""
    part = "tags" if form.get("part") == "tags" else "caption"
    return {"part": part, **{one: form.get(one, "") for one in TEXTS}, **{one: bool(form.get(one)) for one in TICKS}}


@router.post("/data/{name}/captions")
def change_captions(visit: Here, name: str, form: Sent) -> Response:
    """Change captions as one decision, which the history shows and takes back."""
    where = read_where(form.get("where", ""))
    try:
        done = edit_captions(
            visit.workspace, name=name, where=where, reason=form.get("reason", ""), **edit_of(form)
        )
    except (InvalidInput, NotFound, Conflict) as wrong:
        return _captions(visit, name, where, form, wrong)
    return visit.go(f"/data/{name}/decisions#decision-{done.id}")


@router.post("/data/{name}/suggestions")
@counted("upload")
def ask_for_suggestions(visit: Here, name: str, form: Sent) -> Response:
    """Ask for captions to be suggested for pictures that have none."""
    where = read_where(form.get("where", ""))
    try:
        job = suggest_captions(visit.workspace, name=name, where=where)
    except InvalidInput as wrong:
        return _captions(visit, name, where, {}, wrong)
    return visit.go(f"/jobs/{job.id}")


@router.post("/data/{name}/suggestions/answer")
def answer_suggestions(visit: Here, name: str, form: Sent) -> Response:
    """Accept or refuse suggested captions: of one picture, or of all that are meant."""
    where = Where(ids=[form["id"]]) if form.get("id") else read_where(form.get("where", ""))
    verb = accept_suggestions if form.get("act") == "accept" else refuse_suggestions
    try:
        verb(visit.workspace, name=name, where=where)
    except (NotFound, Conflict) as wrong:
        return _captions(visit, name, read_where(form.get("where", "")), {}, wrong)
    return visit.go(address(f"/data/{name}/captions", read_where(form.get("where", ""))))
