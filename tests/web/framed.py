"""A tiny studio of the look alone: the static folder and the design page in a frame of a made-up person."""

from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

from starlette.applications import Starlette
from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Mount, Route

from sfumato.web import showcase
from sfumato.web.assets import MOUNT, Assets
from sfumato.web.look import COMPONENTS, GALLERY_KEYS, csrf_field, make_environment

ENVIRONMENT = make_environment()
POLICY = "default-src 'self'; object-src 'none'; base-uri 'none'; frame-ancestors 'none'; form-action 'self'"
TITLES = {
    "Home": "house",
    "Data": "database",
    "Train": "activity",
    "Create": "sparkles",
    "Models": "box",
    "Jobs": "list-checks",
    "People": "users",
    "Settings": "settings",
    "Audit": "scroll-text",
}


@dataclass(frozen=True)
class Desk:
    """A desk as the frame takes it."""

    name: str
    title: str
    href: str
    icon: str
    mine: bool = False
    allowed: bool = True
    why: str = ""


DESKS = [
    Desk(
        title.lower(),
        title,
        f"/{title.lower()}",
        icon,
        mine=title == "Train",
        allowed=title != "Audit",
        why="Only admins read the audit log." if title == "Audit" else "",
    )
    for title, icon in TITLES.items()
]


def frame(**more: Any) -> dict[str, Any]:
    """What the frame of every page needs."""
    emoji, autumn = (SimpleNamespace(id=str(n), name=name) for n, name in enumerate(["Emoji studio", "Autumn cards"]))
    me = SimpleNamespace(
        name="Bea Lindqvist",
        roles=["product manager", "ML engineer"],
        looks_as="ML engineer",
        project=emoji,
        projects=[emoji, autumn],
    )
    page = {"title": "Design", "desk": "train", "crumbs": [("Design", "")], "keys": [], "here": "/design"}
    return {
        "page": page,
        "me": me,
        "desks": DESKS,
        "csrf": lambda: csrf_field("told"),
        "running": 2,
        "waits": 3,
        **more,
    }


def draw(request: Request, template: str, **context: Any) -> HTMLResponse:
    """Answer with a page in the frame."""
    chosen = {name: request.cookies.get(name, "") for name in ("theme", "rail")}
    return HTMLResponse(ENVIRONMENT.get_template(template).render(frame(**chosen) | context))


def design(request: Request) -> HTMLResponse:
    """Show every component."""
    page = {"title": "Design", "desk": "train", "crumbs": [("Design", "")], "keys": GALLERY_KEYS, "here": "/design"}
    return draw(request, "design/index.html", page=page, components=COMPONENTS, **showcase.showcase())


def record(request: Request) -> HTMLResponse:
    """Show a record for the inspector."""
    return draw(request, "design/record.html", **showcase.showcase())


def picture(request: Request) -> Response:
    """Send a picture of the examples."""
    data, kind = showcase.picture(int(request.path_params["place"]))
    return Response(data, media_type=kind)


async def look(request: Request) -> Response:
    """Keep a choice in a cookie and go back, as the studio does."""
    form = await request.form()
    answer = RedirectResponse(str(form["back"]), 303)
    for name in ("theme", "rail"):
        if name in form:
            answer.set_cookie(name, str(form[name]), httponly=True)
    return answer


def framed() -> Any:
    """An app that answers with the strict policy."""
    app = Starlette(
        routes=[
            Route("/design", design),
            Route("/design/record", record),
            Route("/design/pictures/{place:int}", picture),
            Route("/look", look, methods=["POST"]),
            Mount(MOUNT, Assets()),
        ]
    )

    async def strict(scope: Any, receive: Any, send: Any) -> None:
        async def told(message: Any) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message)["Content-Security-Policy"] = POLICY
            await send(message)

        await app(scope, receive, told)

    return strict
