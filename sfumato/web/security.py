"""The gate that every request passes: the host's name, the body's size, the headers of the answer, one log line."""

import time
import traceback
from typing import Any
from urllib.parse import quote

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from sfumato.people.identify import is_team
from sfumato.web.desks import Page
from sfumato.web.kept import begin_request
from sfumato.web.problems import OtherHost, TooLarge, as_json, told, wants_json
from sfumato.web.visits import UPLOADS, VISIT, House, Visit, check_same_site

POLICY = (
    b"default-src 'self'; img-src 'self' data: blob:; object-src 'none'; base-uri 'none'; "
    b"frame-ancestors 'none'; form-action 'self'"
)
SANDBOX = "default-src 'none'; img-src 'self'; style-src 'unsafe-inline'; sandbox"  # for what people brought along
HEADERS: dict[bytes, bytes] = {
    b"content-security-policy": POLICY,
    b"x-content-type-options": b"nosniff",
    b"referrer-policy": b"no-referrer",
    b"cross-origin-opener-policy": b"same-origin",
    b"cross-origin-resource-policy": b"same-origin",
    b"permissions-policy": b"camera=(), microphone=(), geolocation=(), payment=(), usb=(), browsing-topics=()",
    b"x-frame-options": b"DENY",
    b"cache-control": b"no-store",
}


class Gate:
    """The outermost part of the app."""

    def __init__(self, app: ASGIApp, house: House) -> None:
        self.app = app
        self.house = house

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let one request through, or answer it here."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        visit = Visit(self.house, scope)
        scope["sfumato.visit"] = visit
        begin_request()
        VISIT.set(visit)
        await Passage(visit, receive, send).go(self.app)


class Passage:
    """One request on its way in, and its answer on the way out."""

    def __init__(self, visit: Visit, receive: Receive, send: Send) -> None:
        self.visit = visit
        self._receive, self._send = receive, send
        serving = visit.house.serving
        self.largest = serving.large if visit.path.endswith(UPLOADS) else serving.small
        self.taken = 0
        self.status = 0

    async def go(self, app: ASGIApp) -> None:
        """Check, hand on, and log; what nobody has caught is told and logged here."""
        visit = self.visit
        try:
            self._check()
            await (visit.house.glances.answer(visit) or app)(visit.scope, self.receive, self.send)
        except ClientDisconnect:
            self.status = self.status or 499  # there is nobody to be answered
        except Exception as problem:
            if self.status:
                log_failure(visit, "an answer broke off", problem)
                raise
            await (await run_in_threadpool(answer, visit, problem))(visit.scope, self.receive, self.send)
        finally:
            self._log()

    def _check(self) -> None:
        visit = self.visit
        host = visit.header("host").lower()
        name = host.rpartition(":")[0] if host.rpartition(":")[2].isdigit() and not host.endswith("]") else host
        if name not in visit.house.serving.names:
            raise OtherHost(
                "This studio does not answer to that name.",
                hint="Use the address that the terminal shows, or start it with --name NAME.",
            )
        length = visit.header("content-length")
        if length.isdigit() and int(length) > self.largest:
            raise TooLarge(self._too_large())
        check_same_site(visit)

    def _too_large(self) -> str:
        return f"This is larger than the {self.largest:,} bytes that are taken here. Nothing of it was kept."

    async def receive(self) -> Message:
        """Hand on a part of the body, as long as it is not too much."""
        message = await self._receive()
        if message["type"] == "http.request":
            self.taken += len(message.get("body", b""))
            if self.taken > self.largest:
                raise HTTPException(413, self._too_large())
        return message

    async def send(self, message: Message) -> None:
        """Hand on the answer, with the headers that every answer has."""
        if message["type"] == "http.response.start":
            self.status = message["status"]
            given = message.setdefault("headers", [])
            there = {name.lower() for name, _ in given}
            given.extend(pair for pair in HEADERS.items() if pair[0] not in there)
            given.append((b"x-request-id", self.visit.id.encode()))
            if self.visit.house.serving.secure:
                given.append((b"strict-transport-security", b"max-age=31536000"))
        await self._send(message)

    def _log(self) -> None:
        """One line: whose request, to which route, how it went. Neither query nor body nor cookie is told."""
        visit, route = self.visit, route_of(self.visit.scope)
        milliseconds = round((time.perf_counter() - visit.began) * 1000, 1)
        more: dict[str, Any] = {"error": visit.id} if self.status >= 400 else {}
        visit.house.log.write(
            "request", request=visit.id, person=visit.person, method=visit.scope["method"], route=route,
            status=self.status, ms=milliseconds, **more,
        )  # fmt: skip


def route_of(scope: Scope) -> str:
    """The pattern of the address, not what stood in its place: an address may hold a secret."""
    path = getattr(scope.get("route"), "path", None)
    return str(path) if path else "static" if scope["path"].startswith("/static/") else "none"


def log_failure(visit: Visit, event: str, problem: BaseException) -> None:
    """Log where in the code something arose, under the id that the person is shown."""
    said = "".join(traceback.format_exception(problem))
    visit.house.log.write(
        event, level="error", error=visit.id, route=route_of(visit.scope), kind=type(problem).__name__,
        message=str(problem), traceback=said,
    )  # fmt: skip


def answer(visit: Visit, problem: BaseException) -> Response:
    """Tell a problem to whoever asked; what was not foreseen is logged with where it arose."""
    found, accepts = told(problem, visit.id), visit.header("accept")
    if found.unforeseen or found.problem.status in (500, 507):
        log_failure(visit, "a request failed", problem)
    if wants_json(visit.path, accepts):
        return as_json(found)
    if found.problem.status == 401 and visit.scope["method"] == "GET" and is_team(visit.house.workspace):
        return RedirectResponse(f"/sign-in?back={quote(visit.path)}", 303)
    try:
        page = visit.render(
            "errors/problem.html", status=found.problem.status, page=Page(found.problem.title), problem=found.problem
        )
        page.headers.update(found.headers)
        return page
    except Exception as second:  # the page that tells of errors may be what is wrong
        log_failure(visit, "the error page failed", second)
        return HTMLResponse(f"<!doctype html><title>Sfumato</title><p>Something went wrong: {visit.id}", 500)
