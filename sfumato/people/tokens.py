"""API tokens: what a program acts with for a person, in one project, with no more than it needs."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Select, select

from sfumato.actions import Act, action, allowed, query
from sfumato.actions.permissions import PERMISSIONS
from sfumato.db import now
from sfumato.errors import Forbidden, InvalidInput, NotFound, unknown
from sfumato.people.codes import fresh
from sfumato.people.names import check_name, own_person, printable
from sfumato.people.records import Token

PREFIX = "sfm_"
LONGEST_DAYS = 366


@dataclass(frozen=True)
class TokenView:
    """A token as its person sees it; of the secret only how it begins."""

    id: str
    name: str
    prefix: str
    scopes: list[str]
    made_at: datetime
    expires_at: datetime
    used_at: datetime | None
    revoked_at: datetime | None
    lives: bool


@dataclass(frozen=True)
class TokenMade:
    """A fresh token; its secret is shown this once."""

    secret: str
    token: TokenView


@action("token.make", needs="token.write", doors=("api", "cli", "web"))
def make_token(act: Act, *, name: str, scopes: list[str], days: int = 90) -> TokenMade:
    """Make an API token of one's own for this project, with some of one's own permissions, for a number of days."""
    said = check_name(name)
    if not 1 <= days <= LONGEST_DAYS:
        raise InvalidInput(f"A token lives from 1 to {LONGEST_DAYS} days.", hint="Make another when it has ended.")
    wanted = sorted(set(scopes))
    if not wanted:
        raise InvalidInput("A token needs at least one permission.", hint="Name what it is for, such as record.read.")
    for scope in wanted:
        if scope not in PERMISSIONS:
            raise unknown("permission", scope, PERMISSIONS)
        if not allowed(act.workspace, scope):
            raise Forbidden(
                f"You do not hold the permission '{scope}' yourself.", hint="Leave it out, or ask an admin for it."
            )
    secret, secret_hash = fresh(PREFIX)
    row = Token(
        made_by=act.actor.id, person=own_person(act).id, project=act.workspace.project, name=said,
        prefix=secret[: len(PREFIX) + 4], secret_hash=secret_hash, scopes=wanted,
        expires_at=now() + timedelta(days=days),
    )  # fmt: skip
    act.session.add(row)
    act.session.flush()
    act.says(f"made the token {row.prefix}…", subject=act.actor.id, scopes=wanted, days=days)
    return TokenMade(secret, _view(row))


@query("token.list", needs="token.write", doors=("api", "cli", "web"))
def list_tokens(act: Act) -> list[TokenView]:
    """One's own tokens for this project, the newest first; those that have ended too."""
    return [_view(row) for row in act.session.scalars(_own(act).order_by(Token.id.desc()))]


@action("token.revoke", needs="token.write", doors=("api", "cli", "web"), archived=True)
def revoke_token(act: Act, *, token: str) -> TokenView:
    """End one of one's own tokens at once, named by its id, the end of it, or how its secret begins."""
    fits = Token.id.endswith(printable(token), autoescape=True) | (Token.prefix == printable(token).rstrip("…"))
    rows = act.session.scalars(_own(act).where(fits)).all()
    if len(rows) != 1 or len(token) < 4:
        raise NotFound("There is no single token of yours like that.", hint="`sfumato people tokens list` shows them.")
    row = rows[0]
    if row.revoked_at is None:
        row.revoked_at = now()
        act.says(f"revoked the token {row.prefix}…", subject=act.actor.id)
    return _view(row)


def _own(act: Act) -> Select[Token]:
    mine = act.actor.id.removeprefix("person/")
    return select(Token).where(Token.person == mine, Token.project == act.workspace.project)


def _view(row: Token) -> TokenView:
    lives = row.revoked_at is None and row.expires_at > now()
    return TokenView(
        row.id, row.name, row.prefix, list(row.scopes), row.made_at, row.expires_at, row.used_at, row.revoked_at, lives
    )
