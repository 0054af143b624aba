"""Any record: looking for it, and tracing what it was made from."""

import re
import tempfile
from dataclasses import replace
from pathlib import Path

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from sfumato.actions import Workspace
from sfumato.compliance.inspection import show_record
from sfumato.compliance.overview import show_overview
from sfumato.compliance.search import search
from sfumato.compliance.trace import Trace
from sfumato.compliance.trace import trace as follow
from sfumato.errors import NotFound
from sfumato.trust.verify import Verified
from sfumato.trust.verify import verify as look
from sfumato.web.addresses import Router
from sfumato.web.offering import offer
from sfumato.web.visits import Here, check_token
from sfumato.web.written import as_bytes

router = Router()
BODY = {"required": True, "content": {"image/*": {"schema": {"type": "string", "format": "binary"}}}}
REF = re.compile(r"[a-z_]+/[A-Za-z0-9._-]{1,100}")


def trace(workspace: Workspace, *, ref: str, down: bool = False) -> Trace:
    """Trace a record, such as image/019a…, to all that it was made from, and say whether it may be used."""
    if not REF.fullmatch(ref) or ".." in ref:
        raise NotFound(f"There is no record '{ref}'.", hint="Name it as kind/id.")
    return follow(workspace, ref, down=down, files=False)


offer(router, "GET", "/records/{ref:path}", show_record)
offer(router, "GET", "/search", search, name="search.everything")
offer(router, "GET", "/overview", show_overview)
offer(router, "GET", "/trace/{ref:path}", trace, name="compliance.trace")


@router.post(
    "/verifications/uploads", operation_id="image.verify", summary="Say whether a picture is signed and unchanged",
    openapi_extra={"requestBody": BODY, "x-permission": "record.read"}, response_model=Verified,
)  # fmt: skip
async def verify(visit: Here, request: Request) -> Response:
    """Send a picture's bytes: its Content Credentials are read, checked, and said in words; it is not kept."""
    if visit.secret and not visit.bearer:
        check_token(visit, visit.header("x-csrf-token"))
    with tempfile.NamedTemporaryFile(dir=visit.workspace.path / "tmp", suffix=".picture") as kept:
        async for part in request.stream():
            await run_in_threadpool(kept.write, part)
        kept.flush()
        return await run_in_threadpool(_verified, visit.workspace, Path(kept.name))


def _verified(workspace: Workspace, path: Path) -> Response:
    found = look(workspace, path)
    shown = replace(found, path=Path("picture"), words=found.words.replace(path.name, "This picture"))
    return Response(as_bytes(Verified, shown), media_type="application/json")
