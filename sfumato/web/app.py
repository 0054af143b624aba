"""The studio as an ASGI app, put together from the pages and the API that the folders hold."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import APIRouter, Depends, FastAPI
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from sfumato import __version__
from sfumato.actions import Workspace
from sfumato.db.glance import glance_at
from sfumato.errors import SfumatoError
from sfumato.logs import Log
from sfumato.web import entrance, openapi
from sfumato.web.assets import MOUNT, Assets
from sfumato.web.desks import find
from sfumato.web.events import Hub
from sfumato.web.glances import Glances
from sfumato.web.limits import Limits
from sfumato.web.look import make_environment
from sfumato.web.security import Gate, answer
from sfumato.web.serving import Serving
from sfumato.web.sessions import Doorkeeper
from sfumato.web.visits import House, check_form, guard

API = "/api/v1"


def create_app(workspace: Workspace, serving: Serving | None = None) -> FastAPI:
    """Build the studio of a workspace; whoever calls it keeps the workspace open as long as the app lives."""
    serving = serving or Serving()
    pages, routes = find("sfumato.web.pages"), find("sfumato.web.api")
    hub = Hub(workspace, poll=serving.poll, beat=serving.beat)
    log = Log(workspace.path / "logs", "studio")
    door = Doorkeeper(workspace, serving)
    glances = Glances(glance_at(workspace.db))
    house = House(workspace, serving, log, Limits(serving.rates), door, make_environment(), pages.desks, hub, glances)

    @asynccontextmanager
    async def living(app: FastAPI) -> AsyncIterator[None]:
        await run_in_threadpool(hub.start)
        yield
        await run_in_threadpool(hub.stop)
        glances.close()

    app = FastAPI(
        title="Sfumato", version=__version__, lifespan=living, docs_url=None, redoc_url=None, openapi_url=None,
        dependencies=[Depends(check_form)], redirect_slashes=False,
    )  # fmt: skip
    app.state.house = house
    app.add_middleware(Gate, house=house)
    for kind in (SfumatoError, HTTPException, RequestValidationError):
        app.add_exception_handler(kind, tell)
    adopt(app, entrance.router)
    for name, router in routes.routers.items():
        adopt(app, router, prefix=API, tag=name)
    for router in pages.routers.values():
        adopt(app, router)
    glances.find(app.routes)
    app.mount(MOUNT, Assets())
    openapi.describe(app)
    return app


def adopt(app: FastAPI, router: APIRouter, *, prefix: str = "", tag: str = "") -> None:
    """Take a router's addresses into the app, each behind the guard; those of the API are told in OpenAPI."""
    for route in router.routes:
        if not isinstance(route, APIRoute):
            raise TypeError(f"{route} is no handler of an address: mount it in app.py, where all can see it.")
        app.add_api_route(
            prefix + route.path, guard(route.endpoint), methods=sorted(route.methods or ()), name=route.name,
            response_model=route.response_model, status_code=route.status_code, tags=[tag] if tag else None,
            dependencies=route.dependencies, summary=route.summary, description=route.description,
            responses={**(openapi.PROBLEMS if tag else {}), **route.responses}, operation_id=route.operation_id,
            include_in_schema=bool(tag) and route.include_in_schema, response_class=route.response_class,
            openapi_extra=route.openapi_extra,
        )  # fmt: skip


async def tell(request: Request, problem: Exception) -> Response:
    """Answer with a problem, as a page or as JSON."""
    return await run_in_threadpool(answer, request.scope["sfumato.visit"], problem)
