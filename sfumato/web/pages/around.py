"""What the frame of every page asks for: another project, another look, another role's desks."""

from typing import Annotated

from fastapi import Form
from starlette.responses import Response

from sfumato.errors import NotFound
from sfumato.web.addresses import Router
from sfumato.web.frame import LOOKS_AS, RAIL, THEME, counts_of
from sfumato.web.visits import PROJECT, Here, Visit

router = Router()
YEAR = 365 * 86_400
LOOKS = {"theme": (THEME, ("system", "light", "dark")), "rail": (RAIL, ("wide", "narrow"))}
Back = Annotated[str, Form(max_length=2_000)]
Word = Annotated[str, Form(max_length=100)]


def remember(visit: Visit, answer: Response, name: str, value: str) -> None:
    """Let the browser keep a choice of how things are shown; nobody else may read it."""
    answer.set_cookie(
        name, value, max_age=YEAR, httponly=True, samesite="lax", secure=visit.house.serving.secure, path="/"
    )


@router.post("/look")
def choose_look(visit: Here, back: Back = "/", theme: Word = "", rail: Word = "") -> Response:
    """Light or dark, a wide rail or a narrow one."""
    answer = visit.go(back)
    for said, (cookie, known) in ((theme, LOOKS["theme"]), (rail, LOOKS["rail"])):
        if said in known:
            remember(visit, answer, cookie, said)
    return answer


@router.post("/project")
def choose_project(visit: Here, project: Word, back: Back = "/") -> Response:
    """Go to another project that one is a member of."""
    if project not in {one.id for one in counts_of(visit.workspace).projects}:
        raise NotFound("There is no such project among yours.", hint="Ask one of its admins to be let in.")
    answer = visit.go(back)
    remember(visit, answer, PROJECT, project)
    return answer


@router.post("/look-as")
def look_as(visit: Here, role: Word = "", back: Back = "/") -> Response:
    """See the desks as one of one's own roles does; what one may do stays as it is."""
    answer = visit.go(back)
    remember(visit, answer, LOOKS_AS, role if role in visit.me.roles else "")
    return answer
