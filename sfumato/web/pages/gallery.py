"""Pictures: all of a project as a gallery, judging them by key, and two of them side by side."""

import io
from collections.abc import Sequence
from functools import lru_cache
from typing import Annotated, Any

from fastapi import Form, Query
from PIL import Image
from starlette.responses import JSONResponse, Response

from sfumato import __version__
from sfumato.actions.registry import allowed
from sfumato.checkpoints.models import find_model
from sfumato.errors import InvalidInput, NotFound
from sfumato.generation.gallery import Tile, list_tiles
from sfumato.generation.history import drawing_models
from sfumato.generation.pictures import show_image, show_request
from sfumato.review.judge import Judged, approve, rate, reject, review_of, withdraw
from sfumato.web.addresses import Router
from sfumato.web.assets import version
from sfumato.web.desks import Page
from sfumato.web.files import file_answer, lasting
from sfumato.web.frame import LOOKS_AS, RAIL, THEME
from sfumato.web.glances import at_a_glance
from sfumato.web.look import GALLERY_KEYS, make_environment
from sfumato.web.sifting import said_by
from sfumato.web.visits import Here, Visit, not_modified

router = Router()
PART = 48  # tiles of a page
COMPARED = 6  # pictures at once
Word = Annotated[str, Form(max_length=100)]
Words = Annotated[str, Form(max_length=4_000)]
Short = Annotated[str, Query(max_length=100)]
_kept: dict[tuple[str, str], tuple[int, tuple[str, ...]]] = {}
CRUMB = ("Pictures", "/pictures")
PAGE = Page("Pictures", desk="create", crumbs=(("Create", "/create"), ("Pictures", "")), keys=tuple(GALLERY_KEYS))


@router.get("/pictures")
@at_a_glance
def show_pictures(visit: Here) -> Response:
    """All pictures of the project, the newest first; a browser that has this very page already is told so."""
    tag, same = visit.unchanged(*_shown_by(visit))
    if same:
        return not_modified(tag)
    sifted, after = said_by(visit.scope["query_string"].decode("latin-1"))
    if sifted.narrows:
        visit.look_up()
    found = list_tiles(visit.workspace, after=after or None, limit=PART + 1, **sifted.options(visit.me.id))
    older = sifted.address("/pictures", after=found[PART - 1].id) if len(found) > PART else ""
    return visit.render_around(
        _tiles(found[:PART], sifted.query), "pictures/index.html", page=PAGE, sift=sifted, models=_models(visit),
        any=bool(found), older=older, newest=sifted.address("/pictures") if after else "",
        may=allowed(visit.workspace, "review.write"), headers={"ETag": tag, "Cache-Control": "private, no-cache"},
    )  # fmt: skip


def _tiles(found: list[Tile], tail: str) -> bytes:
    return b"".join([_tile(one.id, one.seed, one.prompt, one.model, one.verdict, tail) for one in found])


@lru_cache(maxsize=4_096)
def _tile(*said: str | int | None) -> bytes:
    """A tile, drawn once for each of what it says, which is all that it is made from."""
    module: Any = make_environment().get_template("pictures/tile.html").module
    return str(module.tile(*said)).encode()


def _models(visit: Visit) -> tuple[str, ...]:
    """The models that draw, asked for anew when anything has happened."""
    workspace = visit.workspace
    key, position = (str(workspace.path), workspace.project), visit.position
    kept = _kept.get(key)
    if kept is None or kept[0] != position:
        visit.look_up()
        kept = _kept[key] = (position, tuple(drawing_models(workspace)))
    return kept[1]


def _shown_by(visit: Visit) -> tuple[object, ...]:
    """All that a page of the gallery depends on: what has happened, who looks, at what, and how the frame is set."""
    choices = [visit.cookies.get(name, "") for name in (THEME, RAIL, LOOKS_AS)]
    query = visit.scope["query_string"].decode("latin-1")
    counts = visit.counts
    told = counts.running, counts.waits, counts.notices, counts.tour
    who = visit.me.id, visit.me.roles, visit.workspace.project
    return visit.position, *who, query, *choices, *told, version(), __version__


@router.post("/pictures/judge")
def judge(visit: Here, picture: Word, verdict: Word, reason: Words = "", back: Words = "") -> Response:
    """Approve or reject a picture; a rejection says why."""
    verbs = {"approved": approve, "rejected": reject}
    if verdict not in verbs:
        raise InvalidInput("A picture is approved or rejected.", hint="Send verdict=approved or verdict=rejected.")
    done = verbs[verdict](visit.workspace, subjects=[f"image/{picture}"], reason=reason)
    return _judged(visit, done, picture, back, f"{verdict.capitalize()}." if done.changed else f"You had {verdict} it.")


@router.post("/pictures/rate")
def rate_picture(visit: Here, picture: Word, rating: int = Form(), back: Words = "") -> Response:
    """Rate a picture from 1 to 5."""
    done = rate(visit.workspace, subjects=[f"image/{picture}"], rating=rating)
    return _judged(visit, done, picture, back, f"Rated {rating} of 5.")


@router.post("/pictures/undo")
def undo(visit: Here, picture: Word, back: Words = "") -> Response:
    """Take back what one has said last of a picture."""
    done = withdraw(visit.workspace, subjects=[f"image/{picture}"])
    return _judged(visit, done, picture, back, "Taken back.")


def _judged(visit: Visit, done: Judged, picture: str, back: str, say: str) -> Response:
    if "application/json" in visit.header("accept"):
        return JSONResponse({"say": say, "batch": done.batch})
    return visit.go(back or f"/pictures/{picture}#judgement")


@router.get("/pictures/compare")
def compare(
    visit: Here, a: Short = "", b: Short = "", picture: Annotated[Sequence[str], Query(max_length=COMPARED)] = ()
) -> Response:
    """Pictures side by side, with what differs marked."""
    wanted = list(dict.fromkeys(one for one in (a, b, *picture) if one))
    if len(wanted) < 2:
        raise InvalidInput("Two pictures are needed to compare.", hint="Select two with Space, then press c.")
    columns = [_compared(visit, one) for one in wanted]
    rows = [(name, [one["facts"][name] for one in columns]) for name in columns[0]["facts"]]
    page = Page("Compare", desk="create", crumbs=(("Create", "/create"), CRUMB, ("Compare", "")))
    return visit.render(
        "pictures/compare.html", page=page, columns=columns,
        rows=[(name, values, len({str(one) for one in values}) > 1) for name, values in rows],
    )  # fmt: skip


def _compared(visit: Visit, said: str) -> dict[str, Any]:
    view = show_image(visit.workspace, id=said)
    asked = show_request(visit.workspace, id=view.request_id)
    held = review_of(visit.workspace, subject=f"image/{view.id}")
    facts = {
        "Sentence": asked.prompt, "Model": asked.model, "Weights": asked.checkpoint_sha256[:12], "Seed": view.seed,
        "Steps": asked.steps, "Guidance": asked.guidance, "Sampler": asked.sampler, "Background": asked.background,
        "Size": f"{view.width} × {view.height}, enlarged {asked.upscale} times",
        "Judged": f"{held.decision.verdict} by {held.decision.by_name}" if held.decision else "not yet",
        "Rating": f"{held.mean_rating:.1f} of 5" if held.mean_rating else "none",
    }  # fmt: skip
    return {"view": view, "facts": facts}


@router.get("/pictures/learnt/{model}/{row}")
def show_learnt(visit: Here, model: str, row: int) -> Response:
    """The small copy of a training picture that a model's card holds."""
    _ = visit.me
    card = find_model(visit.workspace, model).card()
    if not 0 <= row < len(card.items):
        raise NotFound("The card holds no such picture.")
    tag, same = lasting(visit, f"{card.sha256[:32]}-{row}")
    return same or file_answer(straight_png(card.picture(row)), "image/png", tag)


def straight_png(picture: Any) -> bytes:
    """A small premultiplied picture as a PNG with straight alpha."""
    import numpy as np

    alpha = picture[..., 3:].astype(np.float32)
    colour = np.where(alpha > 0, picture[..., :3] * 255.0 / np.maximum(alpha, 1), 0).clip(0, 255)
    out = io.BytesIO()
    Image.fromarray(np.concatenate([colour + 0.5, alpha], -1).astype(np.uint8)).save(out, "PNG")
    return out.getvalue()
