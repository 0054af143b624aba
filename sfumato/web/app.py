"""The studio as an ASGI app, put together from the pages and the API that the folders hold."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import cache
from typing import Any

from fastapi import Depends, FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from sfumato import __version__
from sfumato.actions import Workspace
from sfumato.db.glance import glance_at
from sfumato.errors import SfumatoError
from sfumato.logs import Log
from sfumato.web import entrance, openapi
from sfumato.web.addresses import Router
from sfumato.web.assets import MOUNT, Assets
from sfumato.web.desks import Desk, find
from sfumato.web.events import Hub
from sfumato.web.glances import Glances
from sfumato.web.limits import Limits
from sfumato.web.look import make_environment
from sfumato.web.security import Gate, answer
from sfumato.web.serving import Serving
from sfumato.web.sessions import Doorkeeper
from sfumato.web.visits import House, check_form, guard

API = "/api/v1"
BARE: dict[str, Any] = {"docs_url": None, "redoc_url": None, "openapi_url": None, "redirect_slashes": False}


def create_app(workspace: Workspace, serving: Serving | None = None) -> FastAPI:
    """Build the studio of a workspace; whoever calls it keeps the workspace open as long as the app lives."""
    serving = serving or Serving()
    hub = Hub(workspace, poll=serving.poll, beat=serving.beat)
    log = Log(workspace.path / "logs", "studio")
    door = Doorkeeper(workspace, serving)
    glances = Glances(glance_at(workspace.db))
    house = House(workspace, serving, log, Limits(serving.rates), door, make_environment(), desks(), hub, glances)

    @asynccontextmanager
    async def living(app: FastAPI) -> AsyncIterator[None]:
        await run_in_threadpool(hub.start)
        yield
        await run_in_threadpool(hub.stop)
        glances.close()

    app = FastAPI(title="Sfumato", version=__version__, lifespan=living, **BARE)
    app.state.house = house
    app.add_middleware(Gate, house=house)
    for kind in (SfumatoError, HTTPException, RequestValidationError):
        app.add_exception_handler(kind, tell)
    app.router.routes.extend(addresses())
    glances.find(app.routes)
    app.mount(MOUNT, Assets())
    app.openapi = description  # type: ignore[method-assign]
    return app


@cache
def addresses() -> tuple[BaseRoute, ...]:
    """All addresses of the pages and the API; they take long to put together, and are the same in every app."""
    whole = FastAPI(dependencies=[Depends(check_form)], **BARE)
    adopt(whole, entrance.router)
    for name, router in find("sfumato.web.api").routers.items():
        adopt(whole, router, prefix=API, tag=name)
    for router in find("sfumato.web.pages").routers.values():
        adopt(whole, router)
    return tuple(whole.routes)


@cache
def desks() -> tuple[Desk, ...]:
    """The desks that the pages name, in their order."""
    return find("sfumato.web.pages").desks


@cache
def description() -> dict[str, Any]:
    """What the API says of itself, made when it is first asked for."""
    return openapi.describe(addresses())


def adopt(app: FastAPI, router: Router, *, prefix: str = "", tag: str = "") -> None:
    """Take a router's addresses into the app, each behind the guard; those of the API are told in OpenAPI."""
    for one in router.addresses:
        told = one.options.get("include_in_schema", True)
        more = {"tags": [tag], "responses": {**openapi.PROBLEMS, **one.options.get("responses", {})}} if tag else {}
        app.add_api_route(
            prefix + one.path, guard(one.endpoint), methods=list(one.methods),
            **{**one.options, **more, "include_in_schema": bool(tag) and told},
        )  # fmt: skip


async def tell(request: Request, problem: Exception) -> Response:
    """Answer with a problem, as a page or as JSON."""
    return await run_in_threadpool(answer, request.scope["sfumato.visit"], problem)
