"""Becoming somebody here: by an invitation's code a member, by the owner's code an owner, by a third oneself again."""

from typing import Annotated

from fastapi import Form, Query
from starlette.responses import Response

from sfumato.errors import SfumatoError
from sfumato.people.identify import is_team
from sfumato.people.invitations import accept_invitation, join
from sfumato.people.lost_passwords import set_new_password
from sfumato.people.owner import claim
from sfumato.web.addresses import Router
from sfumato.web.desks import Page
from sfumato.web.entrance import keep_session
from sfumato.web.pages.around import remember
from sfumato.web.visits import PROJECT, Here, Visit, counted, public

router = Router()
Code = Annotated[str, Form(max_length=200)]
Word = Annotated[str, Form(max_length=400)]
Secret = Annotated[str, Form(max_length=1_000)]
Asked = Annotated[str, Query(max_length=200)]


@router.get("/join")
@public
def ask_to_join(visit: Here, code: Asked = "") -> Response:
    """The page for whoever was invited; who has an account joins with it."""
    return _join(visit, code)


def _join(visit: Visit, code: str, wrong: SfumatoError | None = None, login: str = "", name: str = "") -> Response:
    known = visit.known
    return visit.render(
        "enter/join.html", status=wrong.status if wrong else 200, page=Page("Join"), code=code, wrong=wrong,
        login=login,
        name=name, account=known.actor.name if known is not None and known.by == "session" else "",
    )  # fmt: skip


@router.post("/join")
@counted("sign-in")
@public
def join_in(visit: Here, code: Code = "", login: Word = "", name: Word = "", password: Secret = "") -> Response:
    """Make an account by an invitation's code and sign in."""
    try:
        begun = accept_invitation(
            visit.house.workspace, code=code, login=login, name=name, password=password,
            user_agent=visit.header("user-agent"),
        )  # fmt: skip
    except SfumatoError as wrong:
        return _join(visit, code, wrong, login, name)
    answer = visit.go("/")
    keep_session(visit, answer, begun.secret)
    return answer


@router.post("/join/account")
@counted("sign-in")
def join_with_account(visit: Here, code: Code = "") -> Response:
    """Join another project with the account that one has."""
    try:
        project = join(visit.workspace, code=code)
    except SfumatoError as wrong:
        return _join(visit, code, wrong)
    answer = visit.go("/")
    remember(visit, answer, PROJECT, project)
    return answer


@router.get("/own")
@public
def ask_to_own(visit: Here) -> Response:
    """The page for whoever has the owner's code."""
    return _own(visit, "")


def _own(visit: Visit, code: str, wrong: SfumatoError | None = None, login: str = "", name: str = "") -> Response:
    return visit.render(
        "enter/own.html", status=wrong.status if wrong else 200, page=Page("Become the owner"), code=code, wrong=wrong,
        login=login, name=name, team=is_team(visit.house.workspace),
    )  # fmt: skip


@router.post("/own")
@counted("sign-in")
@public
def own(visit: Here, code: Code = "", login: Word = "", name: Word = "", password: Secret = "") -> Response:
    """Become an owner of the workspace and sign in."""
    try:
        begun = claim(
            visit.house.workspace, code=code, login=login, name=name, password=password,
            user_agent=visit.header("user-agent"),
        )  # fmt: skip
    except SfumatoError as wrong:
        return _own(visit, code, wrong, login, name)
    answer = visit.go("/people")
    keep_session(visit, answer, begun.secret)
    return answer


@router.get("/new-password")
@public
def ask_for_a_new_password(visit: Here, code: Asked = "") -> Response:
    """The page for whoever lost a password and was given a code."""
    return visit.render("enter/new_password.html", page=Page("A new password"), code=code, wrong=None)


@router.post("/new-password")
@counted("sign-in")
@public
def take_new_password(visit: Here, code: Code = "", password: Secret = "") -> Response:
    """Set a new password by a code and sign in."""
    try:
        begun = set_new_password(
            visit.house.workspace, code=code, password=password, user_agent=visit.header("user-agent")
        )
    except SfumatoError as wrong:
        page = Page("A new password")
        return visit.render("enter/new_password.html", status=wrong.status, page=page, code=code, wrong=wrong)
    answer = visit.go("/")
    keep_session(visit, answer, begun.secret)
    return answer
