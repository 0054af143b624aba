"""One visit: who asks, in which project, and how they are answered. Handlers take it as `Here`."""

import asyncio
import functools
import hashlib
import hmac
import time
from collections.abc import Callable, Hashable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

from fastapi import Depends
from jinja2 import Environment
from markupsafe import Markup
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request, cookie_parser
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.types import Scope

from sfumato.actions import Actor, Workspace
from sfumato.actions.events import last_position
from sfumato.db.glance import Glance
from sfumato.errors import Forbidden
from sfumato.logs import Log, new_error_id
from sfumato.web.desks import Desk, Page
from sfumato.web.events import Hub
from sfumato.web.frame import Counts, counts_at_hand, counts_of, frame_of, framed_by
from sfumato.web.kept import is_late
from sfumato.web.limits import Limits
from sfumato.web.look import CUT, csrf_field, kept_around
from sfumato.web.problems import SignInNeeded
from sfumato.web.serving import Serving
from sfumato.web.sessions import Doorkeeper, Known, csrf_of

if TYPE_CHECKING:
    from sfumato.web.glances import Glances

SAFE = ("GET", "HEAD", "OPTIONS")
UPLOADS = "/uploads"  # addresses that end like this take large bodies, as a stream
PROJECT = "sfumato_project"
Endpoint = TypeVar("Endpoint", bound=Callable[..., Any])
VISIT: ContextVar["Visit"] = ContextVar("sfumato_visit")


class TakesLonger(Exception):
    """What was tried at a glance needs to be looked up, which is not done on the loop."""


@dataclass(frozen=True)
class House:
    """What all visits share."""

    workspace: Workspace
    serving: Serving
    log: Log
    limits: Limits
    door: Doorkeeper
    environment: Environment
    desks: tuple[Desk, ...]
    hub: Hub
    glances: "Glances"


class Visit:
    """One request: the workspace as this person sees it, and the ways to answer."""

    def __init__(self, house: House, scope: Scope) -> None:
        self.house = house
        self.scope = scope
        self.id = new_error_id()
        self.began = time.perf_counter()
        self.headers: dict[bytes, bytes] = dict(scope["headers"])
        self._arrived = False
        self._known: Known | None = None
        self._workspace: Workspace | None = None
        self._base = house.workspace
        self.hurried = False

    def hurry(self, db: Glance) -> None:
        """Answer from what is at hand and what this reads; whatever takes longer raises TakesLonger from now on."""
        self._base, self.hurried = replace(self.house.workspace, db=db), True

    def take_time(self) -> None:
        """Begin anew, in a thread, where things may be looked up and waited for."""
        self._base, self.hurried, self._arrived = self.house.workspace, False, False

    def look_up(self) -> None:
        """Say that what follows takes longer than a glance; raises TakesLonger where there is no time."""
        if self.hurried:
            raise TakesLonger

    def header(self, name: str) -> str:
        """One header in words, "" where it is not there."""
        return self.headers.get(name.encode(), b"").decode("latin-1")

    @functools.cached_property
    def cookies(self) -> Mapping[str, str]:
        """The cookies that came along."""
        return cookie_parser(self.header("cookie"))

    @functools.cached_property
    def position(self) -> int:
        """The newest event's position as this request began: what it is answered with is at least as new."""
        return last_position(self._base)

    @property
    def secret(self) -> str:
        """The session's secret that the browser shows, "" without one."""
        return self.cookies.get(self.house.serving.cookie, "")

    @functools.cached_property
    def bearer(self) -> str:
        """The token that a program shows, "" without one."""
        scheme, _, shown = self.header("authorization").partition(" ")
        return shown.strip() if scheme.lower() == "bearer" else ""

    @property
    def address(self) -> str:
        """Where the request comes from."""
        client = self.scope.get("client")
        return str(client[0]) if client else ""

    @property
    def path(self) -> str:
        """The path that was asked for."""
        return str(self.scope["path"])

    def arrive(self) -> None:
        """Find out who asks, and in which project: once, and never on the loop, since it may read the database."""
        if self._arrived:
            return
        shown = (self.secret, self.bearer, self._asked_project(), self.position)
        remembered, known = self.house.door.recall(*shown)
        if not remembered:
            self.look_up()
            known = self.house.door.who(*shown)
        self._workspace = None
        if known is not None:
            self._workspace = self._base.as_actor(known.actor).in_project(known.project)
        self._known, self._arrived = known, True

    def _asked_project(self) -> str:
        return self.header("x-sfumato-project") or self.cookies.get(PROJECT, "")

    @property
    def known(self) -> Known | None:
        """Who asks and what they showed; None for somebody who has not signed in."""
        self.arrive()
        return self._known

    def still_in(self) -> bool:
        """Whether what was shown at the beginning of a long answer still counts."""
        return self.house.door.who(self.secret, self.bearer, self._asked_project()) is not None

    @property
    def person(self) -> str:
        """The id of who asks for the log, without looking anything up."""
        return self._known.actor.id if self._known else ""

    @property
    def me(self) -> Actor:
        """Who asks; raises SignInNeeded for nobody."""
        return self.workspace.actor

    @property
    def workspace(self) -> Workspace:
        """The workspace as the person sees it; raises SignInNeeded for nobody."""
        self.arrive()
        if self._workspace is None:
            raise SignInNeeded("You have not signed in, or not for a while.", hint=self._how_to_enter())
        return self._workspace

    @functools.cached_property
    def counts(self) -> Counts:
        """What the frame of a page counts for the person."""
        if not self.hurried:
            return counts_of(self.workspace, self.position)
        found = counts_at_hand(self.workspace, self.position)
        if found is None:
            raise TakesLonger
        return found

    def _how_to_enter(self) -> str:
        if self.bearer or self.path.startswith("/api/"):
            return "Send a token that counts: Authorization: Bearer sfm_…"
        return "Open the address that the terminal shows; `sfumato studio` shows a new one each time it starts."

    @functools.cached_property
    def _token(self) -> str:
        return csrf_of(self.secret) if self.secret else ""

    def token(self) -> str:
        """What a form of this session carries."""
        return self._token

    @functools.cached_property
    def _field(self) -> Markup:
        return csrf_field(self.token())

    def csrf(self) -> Markup:
        """The field of a form by which we know it as our own."""
        return self._field

    def render(self, template: str, *, status: int = 200, page: Page | None = None, **context: Any) -> HTMLResponse:
        """Answer with a page; what surrounds it is added here."""
        late = is_late()
        said = self._draw(template, page or Page("Sfumato"), **context, late=late)
        return HTMLResponse(said, status, {"X-Late": "1"} if late else None)

    def _draw(self, template: str, page: Page, **context: Any) -> str:
        return self.house.environment.get_template(template).render(**(frame_of(self, page) | context))

    def render_around(
        self, inner: bytes, template: str, *, page: Page, headers: Mapping[str, str], **said: Hashable
    ) -> HTMLResponse:
        """Answer with a page as `render` does, of which all that stands around `inner` is kept by what it says.

        The template writes `inner` where it has {{ inner }}; all else that it shows has to be among `said`.
        """
        key = (template, page, *said.values(), *framed_by(self))
        start, middle, end = kept_around(key, lambda: self._draw(template, page, since=CUT, inner=CUT, **said))
        since = str(self.position).encode()
        return HTMLResponse(b"".join((start, since, middle, inner, end)), headers=dict(headers))

    def go(self, path: str) -> RedirectResponse:
        """Answer a form: look at another page of ours now."""
        local = path if path.startswith("/") and not path.startswith(("//", "/\\")) else "/"
        return RedirectResponse(local, 303)

    def unchanged(self, *parts: object) -> tuple[str, bool]:
        """A tag for an answer that depends on these parts alone, and whether the browser has that answer already."""
        said = "\0".join(str(part) for part in (self.secret, self.bearer, self.path, *parts))
        tag = f'"{hashlib.sha256(said.encode()).hexdigest()[:32]}"'
        return tag, tag in self.header("if-none-match")


async def here(request: Request) -> Visit:
    """Give the visit of the request to a handler."""
    visit: Visit = request.scope["sfumato.visit"]
    return visit


Here = Annotated[Visit, Depends(here)]


def public(endpoint: Endpoint) -> Endpoint:
    """Let anybody call this handler; all others are for those who have signed in."""
    endpoint.public = True  # type: ignore[attr-defined]
    return endpoint


def counted(what: str) -> Callable[[Endpoint], Endpoint]:
    """Count the calls of a handler as `what`, a key of Serving.rates, instead of as "write"."""

    def mark(endpoint: Endpoint) -> Endpoint:
        endpoint.counted = what  # type: ignore[attr-defined]
        return endpoint

    return mark


def guard(endpoint: Callable[..., Any]) -> Callable[..., Any]:
    """The same handler, which is reached only by who may come in, and not too often."""
    open_to_all, what = getattr(endpoint, "public", False), getattr(endpoint, "counted", "")

    def enter() -> None:
        visit = VISIT.get()
        if not open_to_all:
            _ = visit.workspace
        if what or visit.scope["method"] not in SAFE:
            who = visit.address if visit.known is None or what == "sign-in" else visit.me.id
            visit.house.limits.take(what or "write", who)

    if asyncio.iscoroutinefunction(endpoint):

        @functools.wraps(endpoint)
        async def run_later(*args: Any, **options: Any) -> Any:
            await run_in_threadpool(enter)
            return await endpoint(*args, **options)

        return run_later

    @functools.wraps(endpoint)
    def run(*args: Any, **options: Any) -> Any:
        enter()
        return endpoint(*args, **options)

    return run


def check_same_site(visit: Visit) -> None:
    """Raise Forbidden unless a request that changes something comes from a page of ours, or brings a token."""
    if visit.scope["method"] in SAFE or visit.bearer:
        return
    site, origin = visit.header("sec-fetch-site"), visit.header("origin")
    ours = visit.header("host").lower()
    said = origin.partition("://")[2].lower() == ours if origin not in ("", "null") else site == "same-origin"
    if not said or site not in ("", "same-origin"):
        raise Forbidden(
            "This came from another site, so nothing was done.", hint="Open the studio's own page and do it there."
        )


async def check_form(request: Request) -> None:
    """Raise Forbidden unless a change that comes with a cookie carries the token of the session's own forms."""
    visit: Visit = request.scope["sfumato.visit"]
    if request.method in SAFE or visit.bearer or not visit.secret:
        return
    given = visit.header("x-csrf-token")
    if not given and "form" in visit.header("content-type"):
        if visit.path.endswith(UPLOADS):
            return  # an upload looks at its own form, before it takes the first file
        given = str((await request.form()).get("csrf", ""))
    check_token(visit, given)


def check_token(visit: Visit, given: str) -> None:
    """Raise Forbidden unless the token is that of the session."""
    if not hmac.compare_digest(given.encode(), visit.token().encode()):
        raise Forbidden(
            "The page that sent this is out of date, so nothing was done.", hint="Load the page again and repeat it."
        )


def not_modified(tag: str) -> Response:
    """Answer that the browser has it already."""
    return Response(status_code=304, headers={"ETag": tag, "Cache-Control": "private, no-cache"})
