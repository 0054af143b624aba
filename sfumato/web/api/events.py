"""The log of events, read back or as it grows."""

import asyncio

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from sfumato.actions.audit import audit, show_event
from sfumato.actions.events import list_events
from sfumato.actions.registry import require
from sfumato.errors import Busy
from sfumato.web.addresses import Router
from sfumato.web.events import Listener, stream
from sfumato.web.offering import offer
from sfumato.web.visits import Here

router = Router()
MOST = 500  # streams of one process
HEADERS = {"Cache-Control": "no-cache", "X-Accel-Buffering": "no"}  # a proxy hands on each message at once

offer(router, "GET", "/log", list_events, key="position", leave_out=("until", "oldest_first"))
offer(router, "GET", "/audit", audit, key="position")
offer(router, "GET", "/audit/{position}", show_event)


@router.get(
    "/events", operation_id="event.stream", summary="What happens, as it happens",
    responses={200: {"content": {"text/event-stream": {"schema": {"type": "string"}}}}},
)  # fmt: skip
async def events(visit: Here, request: Request) -> Response:
    """Server-sent events: `event` for each of the log, `job` for each change of a job; resumes by Last-Event-ID."""
    require(visit.workspace, "record.read")
    hub = visit.house.hub
    if len(hub.listeners) >= MOST:
        raise Busy("Too many pages listen at once.", hint="Close some of them.")
    said = visit.header("last-event-id") or request.query_params.get("since", "")
    since = int(said) if said.isascii() and said.isdigit() and len(said) < 16 else None
    listener = Listener(visit.workspace.project, visit.me.id, asyncio.get_running_loop())
    messages = stream(hub, visit.workspace, listener, since, visit.still_in)
    return StreamingResponse(messages, media_type="text/event-stream", headers=HEADERS)
