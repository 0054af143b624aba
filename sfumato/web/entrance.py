"""The way in: the launch token for a browser at this machine, a password for a team, and the sign of life."""

from typing import Annotated, Any

from fastapi import Form
from starlette.responses import Response

from sfumato import __version__
from sfumato.errors import Forbidden
from sfumato.people import signins
from sfumato.people.identify import is_team, local_actor
from sfumato.people.persons import me
from sfumato.people.tour import show_tour
from sfumato.web.addresses import Router
from sfumato.web.desks import Page
from sfumato.web.sessions import DAYS
from sfumato.web.visits import Here, Visit, counted, public

router = Router()
Text = Annotated[str, Form(max_length=1_000)]


@router.get("/healthz", include_in_schema=False)
@public
def health() -> dict[str, Any]:
    """Say that the studio lives, and which version it is; whoever watches it needs no more."""
    return {"status": "ok", "version": __version__}


@router.get("/launch/{token}", include_in_schema=False)
@counted("sign-in")
@public
def launch(visit: Here, token: str) -> Response:
    """Let the browser in that shows the token which was printed; the token counts once."""
    if visit.known is not None:
        return visit.go("/")
    if is_team(visit.house.workspace):
        return visit.go("/sign-in")
    secret = visit.house.door.browsers.admit(token)
    if secret is None:
        raise Forbidden(
            "This address was opened before, or is of an earlier start.",
            hint="Stop `sfumato studio` with Ctrl-C and start it again: it shows a new address. Nothing is lost.",
        )
    alone = visit.house.workspace.as_actor(local_actor(visit.house.workspace))
    first = not me(alone).introduced and show_tour(alone).state == "new"
    answer = visit.go("/welcome" if first else "/")
    keep_session(visit, answer, secret)
    return answer


@router.get("/sign-in", include_in_schema=False)
@public
def ask_to_sign_in(visit: Here, back: str = "/") -> Response:
    """The page for signing in; who has done so goes on at once."""
    return visit.go(back) if visit.known else _form(visit, back)


@router.post("/sign-in", include_in_schema=False)
@counted("sign-in")
@public
def sign_in(visit: Here, login: Text = "", password: Text = "", back: Text = "/") -> Response:
    """Begin a session with a fresh secret, whatever the browser showed before."""
    workspace = visit.house.workspace
    try:
        begun = signins.sign_in(
            workspace, login=login, password=password, user_agent=visit.header("user-agent"),
            replacing=visit.secret or None,
        )  # fmt: skip
    except Forbidden as refused:
        return _form(visit, back, wrong=f"{refused.message} {refused.hint}", login=login)
    answer = visit.go(back)
    keep_session(visit, answer, begun.secret)
    return answer


@router.post("/sign-out", include_in_schema=False)
@public
def sign_out(visit: Here) -> Response:
    """End this browser's session, here and on the server."""
    known = visit.known
    if known is not None and known.by == "session":
        signins.sign_out(visit.workspace, secret=visit.secret)
    elif known is not None:
        visit.house.door.browsers.forget(visit.secret)
    answer = visit.go("/sign-in")
    answer.delete_cookie(visit.house.serving.cookie, path="/", secure=visit.house.serving.secure, httponly=True)
    return answer


def _form(visit: Visit, back: str, *, wrong: str = "", login: str = "") -> Response:
    page = Page("Sign in")
    return visit.render(
        "enter/sign_in.html", status=403 if wrong else 200, page=page, back=back, wrong=wrong, login=login
    )


def keep_session(visit: Visit, answer: Response, secret: str, *, days: float = DAYS) -> None:
    """Give the browser the session's secret, where no script and no other site can read it."""
    serving = visit.house.serving
    answer.set_cookie(
        serving.cookie, secret, max_age=int(days * 86_400), httponly=True, samesite="lax", secure=serving.secure,
        path="/",
    )  # fmt: skip
