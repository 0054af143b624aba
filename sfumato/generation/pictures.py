"""Looking at what was asked for and what came of it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from sfumato.actions import Act, query
from sfumato.errors import NotFound
from sfumato.generation.records import Image, Published, Request


@dataclass(frozen=True)
class ImageView:
    """A picture that was let out, with what it was asked by."""

    id: str
    request_id: str
    place: int
    seed: int
    width: int
    height: int
    prompt: str
    model: str
    made_by: str
    made_at: datetime
    published_id: str
    sha256: str
    mime: str
    file_name: str
    background: str
    private: bool = False


@dataclass(frozen=True)
class RequestView:
    """What somebody asked a model for."""

    id: str
    prompt: str
    model: str
    checkpoint_sha256: str
    n: int
    seed: int
    sampler: str
    steps: int
    guidance: float
    background: str
    upscale: int
    engine: str
    private: bool
    made_by: str
    made_at: datetime
    understood: dict[str, Any] = field(default_factory=dict)
    images: list[str] = field(default_factory=list)


SHOWN: Any = (
    select(Image, Request, Published)
    .join(Request, Request.id == Image.request_id)
    .join(Published, Published.image_id == Image.id)
)


@query("image.list", doors=("api",))
def list_images(
    act: Act,
    *,
    after: str | None = None,
    limit: int = 48,
    model: str = "",
    made_by: str = "",
    request_id: str = "",
    words: str = "",
) -> list[ImageView]:
    """Pictures that were let out, the newest first: of one model, by one person, of one request, or with these words.

    `after` is the id of the last one seen.
    """
    found = SHOWN.order_by(Image.id.desc()).limit(limit)
    if after:
        found = found.where(Image.id < after)
    if model:
        found = found.where(Request.model == model)
    if made_by:
        found = found.where(Image.made_by == made_by)
    if request_id:
        found = found.where(Image.request_id == request_id)
    for word in words.split()[:8]:
        found = found.where(Request.prompt.icontains(word, autoescape=True))
    return [_view(image, request, out) for image, request, out in act.session.execute(found)]


@query("image.show", doors=("api",))
def show_image(act: Act, *, id: str) -> ImageView:
    """One picture, by its id or the end of it."""
    return _view(*_find(act.session, id))


@query("request.list", doors=("api",))
def list_requests(
    act: Act, *, after: str | None = None, limit: int = 50, model: str = "", made_by: str = "", words: str = ""
) -> list[RequestView]:
    """What was asked for, the newest first; `after` is the id of the last one seen."""
    found = select(Request).order_by(Request.id.desc()).limit(limit)
    if after:
        found = found.where(Request.id < after)
    if model:
        found = found.where(Request.model == model)
    if made_by:
        found = found.where(Request.made_by == made_by)
    for word in words.split()[:8]:
        found = found.where(Request.prompt.icontains(word, autoescape=True))
    return requests_of(act.session, list(act.session.scalars(found)))


@query("request.show", doors=("api",))
def show_request(act: Act, *, id: str) -> RequestView:
    """One request with the ids of its pictures, by its id or the end of it."""
    rows = _ending(act.session, select(Request), Request.id, id)
    if len(rows) != 1:
        raise NotFound(f"There is no single request '{id}'.", hint="Write its whole id.")
    return requests_of(act.session, [rows[0][0]])[0]


def _find(session: Session, said: str) -> tuple[Image, Request, Published]:
    rows = _ending(session, SHOWN.order_by(Published.id.desc()), Image.id, said)
    if not rows or len({image.id for image, _, _ in rows}) != 1:
        raise NotFound(f"There is no single picture '{said}'.", hint="Write its whole id.")
    image, request, out = rows[0]
    return image, request, out


def _ending(session: Session, found: Select[Any], column: Any, said: str) -> list[Any]:
    """The rows whose id is what was said, or ends with it."""
    same = column == said if len(said) >= 36 else column.endswith(said, autoescape=True)
    return list(session.execute(found.where(same).limit(3))) if len(said) >= 4 else []


def _view(image: Image, request: Request, out: Published) -> ImageView:
    return ImageView(
        id=image.id, request_id=image.request_id, place=image.place, seed=image.seed, width=image.width,
        height=image.height, prompt=request.prompt, model=request.model, made_by=image.made_by,
        made_at=image.made_at, published_id=out.id, sha256=out.sha256, mime=out.mime, file_name=out.file_name,
        background=out.background, private=request.private,
    )  # fmt: skip


def requests_of(session: Session, rows: Sequence[Request]) -> list[RequestView]:
    """Requests with the ids of their pictures, in the order in which they were drawn."""
    made: dict[str, list[str]] = {row.id: [] for row in rows}
    wanted = select(Image.request_id, Image.id).where(Image.request_id.in_(made)).order_by(Image.place)
    for request_id, image_id in session.execute(wanted):
        made[request_id].append(image_id)
    told = [name for name in RequestView.__dataclass_fields__ if name not in ("images", "understood")]
    return [
        RequestView(**{name: getattr(row, name) for name in told}, understood=row.understood or {}, images=made[row.id])
        for row in rows
    ]
