"""The design page, on which every component is shown in every state, and the choice of light or dark."""

from typing import Annotated, Any

from fastapi import APIRouter, Form, HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from sfumato.web.assets import FOR_EVER
from sfumato.web.look import COMPONENTS, GALLERY_KEYS, THEMES

router = APIRouter()
YEAR = 31_536_000
CHOICES = {"theme": ("system", *THEMES), "rail": ("wide", "narrow")}


@router.get("/design", include_in_schema=False)
def design(request: Request) -> Any:
    """Show every component."""
    from sfumato.web.showcase import showcase

    page = {"title": "Design", "desk": "", "crumbs": [("Design", "")], "keys": GALLERY_KEYS, "here": "/design"}
    return request.scope["sfumato.visit"].render("design/index.html", page=page, components=COMPONENTS, **showcase())


@router.get("/design/record", include_in_schema=False)
def record(request: Request) -> Any:
    """Show an example of a record, as the inspector takes it."""
    from sfumato.web.showcase import showcase

    return request.scope["sfumato.visit"].render("design/record.html", **showcase())


@router.get("/design/pictures/{place}", include_in_schema=False)
def picture(place: int) -> Response:
    """Send one of the pictures of the examples."""
    from sfumato.web import showcase

    if not 0 <= place < len(showcase.pictures()):
        raise HTTPException(404, "There is no such example.")
    data, kind = showcase.picture(place)
    return Response(data, media_type=kind, headers={"Cache-Control": FOR_EVER})


@router.post("/look", include_in_schema=False)
def look(
    theme: Annotated[str, Form()] = "", rail: Annotated[str, Form()] = "", back: Annotated[str, Form()] = "/",
) -> Response:  # fmt: skip
    """Keep the choice of light or dark, or of a narrow rail, in a cookie, and go back."""
    local = back.startswith("/") and not back.startswith(("//", "/\\"))
    answer = RedirectResponse(back if local else "/", 303)
    for name, value in (("theme", theme), ("rail", rail)):
        if value in CHOICES[name]:
            answer.set_cookie(name, value, max_age=YEAR, samesite="lax")
    return answer
