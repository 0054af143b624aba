"""The first run and the tour: who one is, five steps through the real project, and the page of help."""

from typing import Annotated

from fastapi import Form
from starlette.responses import Response

from sfumato.actions.permissions import ABOUT
from sfumato.actions.registry import allowed
from sfumato.errors import SfumatoError
from sfumato.people.persons import introduce, me
from sfumato.people.projects import show_project
from sfumato.people.tour import STEPS, go_to_step, leave_tour
from sfumato.web.addresses import Router
from sfumato.web.desks import Page
from sfumato.web.look import GALLERY_KEYS
from sfumato.web.touring import strip_of
from sfumato.web.visits import Here, Visit
from sfumato.web.vocabulary import WORDS

router = Router()
Word = Annotated[str, Form(max_length=400)]
Roles = Annotated[list[str] | None, Form(max_length=40)]


@router.get("/welcome")
def welcome(visit: Here) -> Response:
    """Who are you? Asked once at the first opening, and again whenever somebody wants."""
    return _welcome(visit)


def _welcome(
    visit: Visit, wrong: SfumatoError | None = None, name: str = "", project: str = "", roles: list[str] | None = None
) -> Response:
    myself = me(visit.workspace)
    own = [role for role in myself.roles if role != "admin"]
    return visit.render(
        "welcome/page.html", status=wrong.status if wrong else 200, page=Page("Welcome"), wrong=wrong, myself=myself,
        name=name or (myself.name if myself.introduced else ""), about=ABOUT,
        chosen=roles or own,
        project=project or show_project(visit.workspace).name, alone=visit.me.project is None,
        may=allowed(visit.workspace, "people.write"),
    )  # fmt: skip


@router.post("/welcome")
def come_in(visit: Here, name: Word = "", project: Word = "", roles: Roles = None, then: Word = "") -> Response:
    """Say who one is, and begin the tour, or go on without it."""
    try:
        introduce(visit.workspace, name=name, roles=roles or [], project=project)
    except SfumatoError as wrong:
        return _welcome(visit, wrong, name, project, roles)
    if then:
        leave_tour(visit.workspace)
        return visit.go("/")
    go_to_step(visit.workspace, step=1, anew=True)
    return visit.go(strip_of(visit.workspace).here.href)


@router.post("/tour")
def go(visit: Here, step: Annotated[int, Form(ge=1, le=5)], seen: Word = "", anew: Word = "") -> Response:
    """Go to a step of the tour, at the real page where it takes place."""
    go_to_step(visit.workspace, step=step, seen=seen, anew=bool(anew))
    return visit.go(strip_of(visit.workspace).here.href)


@router.post("/tour/leave")
def leave(visit: Here, seen: Word = "", back: Annotated[str, Form(max_length=2_000)] = "/") -> Response:
    """Leave the tour; it stays under Help."""
    leave_tour(visit.workspace, seen=seen)
    return visit.go(back)


@router.get("/help")
def show_help(visit: Here) -> Response:
    """The tour, the keys, and the words we use."""
    return visit.render(
        "welcome/help.html",
        page=Page("Help"),
        strip=strip_of(visit.workspace),
        steps=STEPS,
        words=WORDS,
        gallery=GALLERY_KEYS,
    )
