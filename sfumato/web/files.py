"""Answering with pictures that people brought or made: kept by the browser, unable to act by themselves."""

from urllib.parse import quote

from starlette.responses import Response

from sfumato.web.security import SANDBOX
from sfumato.web.visits import Visit

FOR_EVER = "private, max-age=31536000, immutable"
ASKS = "private, no-cache"  # of what may be another content the next time
SHOWN = ("image/png", "image/jpeg", "image/webp", "image/gif", "image/bmp")


def lasting(visit: Visit, content: str, cache: str = FOR_EVER) -> tuple[str, Response | None]:
    """The tag of a content, and the answer for a browser that has it already."""
    tag = f'"{content}"'
    if tag not in visit.header("if-none-match"):
        return tag, None
    return tag, Response(status_code=304, headers={"ETag": tag, "Cache-Control": cache})


def file_answer(
    data: bytes, mime: str, tag: str, *, name: str = "", download: bool = False, cache: str = FOR_EVER
) -> Response:  # fmt: skip
    """Answer with bytes; what is no picture that browsers show, or is asked for as a file, is only for keeping."""
    headers = {"ETag": tag, "Cache-Control": cache, "Content-Security-Policy": SANDBOX}
    if download or mime not in SHOWN:
        headers["Content-Disposition"] = f"attachment; filename*=UTF-8''{quote(name or 'file')}"
    elif name:
        headers["Content-Disposition"] = f"inline; filename*=UTF-8''{quote(name)}"
    return Response(data, media_type=mime, headers=headers)
