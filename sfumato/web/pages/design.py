"""The page that shows every component, for whoever builds a page."""

from starlette.responses import Response

from sfumato.errors import NotFound
from sfumato.web import showcase
from sfumato.web.addresses import Router
from sfumato.web.desks import Page
from sfumato.web.look import COMPONENTS, GALLERY_KEYS
from sfumato.web.visits import Here

router = Router()


@router.get("/design")
def show_design(visit: Here) -> Response:
    """Every component, with made-up things in it."""
    page = Page("Design", keys=tuple(GALLERY_KEYS))
    return visit.render("design/index.html", page=page, components=COMPONENTS, **showcase.showcase())


@router.get("/design/record")
def show_record(visit: Here) -> Response:
    """A made-up record, for the inspector."""
    return visit.render("design/record.html", page=Page("Record"), **showcase.showcase())


@router.get("/design/pictures/{place}")
def show_picture(visit: Here, place: int) -> Response:
    """One of the made-up pictures."""
    if not 0 <= place < len(showcase.pictures()):
        raise NotFound("There is no such picture.")
    data, kind = showcase.picture(place)
    return Response(data, media_type=kind)
