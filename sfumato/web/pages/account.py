"""My account: name, password, sessions that live, and API tokens."""

from typing import Annotated

from fastapi import Form
from starlette.responses import Response

from sfumato.actions.permissions import PERMISSIONS
from sfumato.actions.registry import allowed
from sfumato.errors import Forbidden, SfumatoError
from sfumato.people.passwords import change_password
from sfumato.people.persons import me, rename
from sfumato.people.signins import list_sessions, revoke_other_sessions, revoke_session
from sfumato.people.tokens import TokenMade, list_tokens, make_token, revoke_token
from sfumato.web.addresses import Router
from sfumato.web.desks import Page
from sfumato.web.visits import Here, Visit, counted

router = Router()
Word = Annotated[str, Form(max_length=400)]
Secret = Annotated[str, Form(max_length=1_000)]
LIVES = ((7, "a week"), (30, "a month"), (90, "three months"), (365, "a year"))
PLACE = "/account"


@router.get("/account")
def show_account(visit: Here) -> Response:
    """Who one is here, and by what one is known."""
    return _page(visit)


def _page(
    visit: Visit, *, wrong: tuple[str, SfumatoError] | None = None, made: TokenMade | None = None, done: str = "",
    name: str = "", scopes: list[str] | None = None,
) -> Response:  # fmt: skip
    workspace, myself = visit.workspace, me(visit.workspace)
    with_tokens = allowed(workspace, "token.write")
    return visit.render(
        "people/account.html", status=wrong[1].status if wrong else 200, page=Page("My account"), myself=myself,
        wrong=wrong, made=made, done=done, token_name=name, chosen=scopes or ["record.read"], lives=LIVES,
        sessions=list_sessions(workspace) if myself.login else [],
        this_session=visit.known.sign_in if visit.known else "",
        tokens=list_tokens(workspace) if with_tokens else [], with_tokens=with_tokens,
        held=[(scope, PERMISSIONS[scope]) for scope in myself.permissions],
    )  # fmt: skip


@router.post("/account/name")
def change_name(visit: Here, name: Word, version: Annotated[int | None, Form()] = None) -> Response:
    """Change what one is called."""
    try:
        rename(visit.workspace, name=name, version=version)
    except SfumatoError as wrong:
        return _page(visit, wrong=("name", wrong))
    return visit.go(PLACE)


@router.post("/account/password")
@counted("sign-in")
def change_own_password(visit: Here, old: Secret, new: Secret, again: Secret) -> Response:
    """Change one's password; other sessions end."""
    try:
        if new != again:
            raise Forbidden("The new password was not written the same twice.", hint="Write it again.")
        ended = change_password(visit.workspace, old=old, new=new, keep=visit.known.sign_in if visit.known else "")
    except SfumatoError as wrong:
        return _page(visit, wrong=("password", wrong))
    return _page(visit, done=f"The password was changed. Other sessions that ended: {ended}.")


@router.post("/account/sessions/others/revoke")
def end_others(visit: Here) -> Response:
    """End all sessions but this one."""
    revoke_other_sessions(visit.workspace, keep=visit.known.sign_in if visit.known else "")
    return visit.go(f"{PLACE}#sessions")


@router.post("/account/sessions/{session}/revoke")
def end_one(visit: Here, session: str) -> Response:
    """End one session."""
    revoke_session(visit.workspace, session=session)
    return visit.go(f"{PLACE}#sessions")


@router.post("/account/tokens")
@counted("create")
def add_token(
    visit: Here, name: Word = "", scopes: Annotated[list[str] | None, Form(max_length=60)] = None,
    days: Annotated[int, Form()] = 90,
) -> Response:  # fmt: skip
    """Make an API token; its secret is shown this once."""
    try:
        made = make_token(visit.workspace, name=name, scopes=scopes or [], days=days)
    except SfumatoError as wrong:
        return _page(visit, wrong=("tokens", wrong), name=name, scopes=scopes)
    return _page(visit, made=made)


@router.post("/account/tokens/{token}/revoke")
def end_token(visit: Here, token: str) -> Response:
    """End a token at once."""
    revoke_token(visit.workspace, token=token)
    return visit.go(f"{PLACE}#tokens")
