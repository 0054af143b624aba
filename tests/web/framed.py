"""A tiny studio of the look alone: the static folder and the design page in a frame of a made-up person."""

from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

from fastapi import FastAPI
from starlette.datastructures import MutableHeaders
from starlette.requests import cookie_parser
from starlette.responses import HTMLResponse

from sfumato.web.assets import MOUNT, Assets
from sfumato.web.look import csrf_field, make_environment
from sfumato.web.pages import design

POLICY = "default-src 'self'; object-src 'none'; base-uri 'none'; frame-ancestors 'none'; form-action 'self'"
TITLES = {"Home": "house", "Data": "database", "Train": "activity", "Create": "sparkles", "Models": "box", "Jobs": "list-checks",
          "People": "users", "Settings": "settings", "Audit": "scroll-text"}  # fmt: skip


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
    Desk(title.lower(), title, f"/{title.lower()}", icon, mine=title == "Train", allowed=title != "Audit",
         why="Only admins read the audit log." if title == "Audit" else "")
    for title, icon in TITLES.items()
]  # fmt: skip


def frame(**more: Any) -> dict[str, Any]:
    """What the frame of every page needs."""
    emoji, autumn = (SimpleNamespace(id=str(n), name=name) for n, name in enumerate(["Emoji studio", "Autumn cards"]))
    me = SimpleNamespace(name="Bea Lindqvist", roles=["product manager", "ML engineer"], looks_as="ML engineer",
                         project=emoji, projects=[emoji, autumn])  # fmt: skip
    page = {"title": "Design", "desk": "train", "crumbs": [("Design", "")], "keys": [], "here": "/design"}
    return {"page": page, "me": me, "desks": DESKS, "csrf": lambda: csrf_field("told"), "running": 2, "waits": 3, **more}


@dataclass
class Visit:
    """The little of a visit that the design page uses."""

    cookies: dict[str, str] = field(default_factory=dict)
    environment: Any = field(default_factory=make_environment)

    def render(self, template: str, **context: Any) -> HTMLResponse:
        """Answer with a page in the frame."""
        chosen = {name: self.cookies.get(name, "") for name in ("theme", "rail")}
        return HTMLResponse(self.environment.get_template(template).render(frame(**chosen) | context))


class Framed:
    """An ASGI app that gives each request a visit, and each answer the strict policy."""

    def __init__(self) -> None:
        self.app = FastAPI(openapi_url=None)
        self.app.include_router(design.router)
        self.app.mount(MOUNT, Assets())
        self.environment = make_environment()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer one request."""
        if scope["type"] == "http":
            cookies = cookie_parser(dict(scope["headers"]).get(b"cookie", b"").decode())
            scope["sfumato.visit"] = Visit(cookies, self.environment)

        async def strict(message: Any) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message)["Content-Security-Policy"] = POLICY
            await send(message)

        await self.app(scope, receive, strict)
