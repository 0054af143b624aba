"""Captions of many pictures at once: what would change is shown before it is changed, as one decision."""

from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from sfumato.actions.registry import allowed
from sfumato.data.caption_edits import CaptionPreview, edit_captions, preview_captions
from sfumato.data.items import read_where
from sfumato.data.narrowing import Where
from sfumato.errors import Conflict, InvalidInput, NotFound, SfumatoError
from sfumato.web.desks import Page
from sfumato.web.pages.data import WHY
from sfumato.web.sent import Sent, said
from sfumato.web.visits import Here, Visit
from sfumato.web.wheres import address, chips_of, pairs_of, where_from

router = APIRouter()
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
    page = Page("Captions", "data", crumbs=(("Data", "/data"), (name, f"/data/{name}"), ("Captions", "")))
    return visit.render(
        "data/captions.html", status=wrong.status if wrong else 200, page=page, name=name, path=path, typed=typed,
        seen=seen, pairs=pairs_of(where), chips=chips_of(path, where, {}), where=where, narrowed=where != Where(),
        where_json=where.model_dump_json(exclude_defaults=True), grid=address(f"/data/{name}/items", where),
        may=allowed(visit.workspace, "dataset.write"), why=WHY, **said(wrong),
    )  # fmt: skip


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
