"""Everybody who may come to a studio, and every verb with something to send: what the permission matrix is made of."""

import inspect
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cache
from typing import Any, get_type_hints
from urllib.parse import quote

from pydantic import TypeAdapter
from sqlalchemy import update
from sqlalchemy.exc import NoResultFound

from docs.write import registered
from sfumato.actions import Actor, Workspace
from sfumato.actions.permissions import ASSIGNABLE, PERMISSIONS, VISITOR, may
from sfumato.db import now
from sfumato.errors import Forbidden, SfumatoError
from sfumato.people.identify import OWNERS_ONLY, person_of_session, person_of_token, visitor
from sfumato.people.projects import create_project
from sfumato.people.records import SignIn, Token
from sfumato.people.tokens import make_token, revoke_token
from sfumato.web.examples import example
from sfumato.web.sessions import csrf_of
from tests.people.team import Seat, come, own, seat
from tests.web.conftest import HERE, open_studio

OPERATIONS = {"get", "put", "post", "patch", "delete"}
FORM = {"files": [("files", ("a.png", b"no picture"))]}
SCOPES_AT_THE_DOOR = ("record.read", "review.write", "workspace.care")  # a token for each; the rest at the function


@dataclass(frozen=True)
class Comer:
    """Somebody who comes: how they act as a function sees it, what they show at the door, and what they may."""

    actor: Actor | None
    headers: dict[str, str] = field(default_factory=dict)
    roles: tuple[str, ...] = ()
    scopes: frozenset[str] | None = None
    known: bool = True  # whether the door knows them; if not, all is 401
    elsewhere: bool = False  # whether their roles are those of another project

    def may(self, permission: str) -> bool:
        """What the table says, told independently of the code that asks it."""
        return may(self.roles, permission) and (self.scopes is None or permission in self.scopes)


def cookie(seat: Seat) -> dict[str, str]:
    """What a browser with this session sends."""
    secret = seat.entered.secret
    return {"Cookie": f"sfumato={secret}", "Origin": HERE, "X-CSRF-Token": csrf_of(secret)}


def bearer(secret: str) -> dict[str, str]:
    """What a program with this token sends."""
    return {"Authorization": f"Bearer {secret}"}


def everybody(workspace: Workspace) -> dict[str, Comer]:
    """A team with one person of each role, and those who have no business here."""
    olga = own(workspace)
    members = frozenset(PERMISSIONS) - OWNERS_ONLY
    found = {"owner": Comer(olga.workspace.actor, cookie(olga), ("admin",))}
    for number, role in enumerate(ASSIGNABLE):
        person = come(workspace, olga, f"Person{number}", role)
        found[role] = Comer(person.workspace.actor, cookie(person), (role,), members)
    found["visitor"] = Comer(visitor(workspace).actor, {"Origin": HERE}, (VISITOR,), known=False)
    found |= _from_elsewhere(workspace, olga, members)
    for scope in sorted(PERMISSIONS):
        secret = make_token(olga.workspace, name=scope, scopes=[scope]).secret
        actor = person_of_token(workspace, secret)
        found[f"token for {scope}"] = Comer(actor, bearer(secret), ("admin",), frozenset({scope, "account.read"}))
    return found | _those_who_were(workspace, olga)


def _from_elsewhere(workspace: Workspace, olga: Seat, members: frozenset[str]) -> dict[str, Comer]:
    other = workspace.in_project(create_project(olga.workspace, name="Elsewhere").id)
    erik = come(other, seat(other, olga.entered), "Erik", "admin")
    return {"admin elsewhere": Comer(erik.workspace.actor, cookie(erik), ("admin",), members, elsewhere=True)}


def _those_who_were(workspace: Workspace, olga: Seat) -> dict[str, Comer]:
    """Sessions and tokens that count no more."""
    old, ended = (make_token(olga.workspace, name=name, scopes=["record.read"]) for name in ("old", "ended"))
    gone, left = (come(workspace, olga, name, "admin") for name in ("Gone", "Left"))
    revoke_token(olga.workspace, token=ended.token.id)
    with workspace.db.write() as session:
        past = now() - timedelta(seconds=1)
        session.execute(update(Token).where(Token.id == old.token.id).values(expires_at=past))
        for person, change in ((gone, {"ends_at": past}), (left, {"revoked_at": past})):
            session.execute(update(SignIn).where(SignIn.person == person.id).values(change))
    found = {}
    for name, made in (("expired token", old), ("revoked token", ended)):
        found[name] = Comer(person_of_token(workspace, made.secret), bearer(made.secret), known=False)
    for name, person in (("expired session", gone), ("revoked session", left)):
        found[name] = Comer(person_of_session(workspace, person.entered.secret), cookie(person), known=False)
    return found


@cache
def wanted(verb: Any) -> list[tuple[str, TypeAdapter[Any] | None, Any]]:
    """Each argument that a verb needs, its type, and something that its schema allows; no type for a function."""
    hints = get_type_hints(inspect.unwrap(verb))
    found: list[tuple[str, TypeAdapter[Any] | None, Any]] = []
    for one in list(inspect.signature(verb).parameters.values())[1:]:
        if one.default is one.empty and one.kind in (one.KEYWORD_ONLY, one.POSITIONAL_OR_KEYWORD):
            if "Callable" in str(hints[one.name]):
                found.append((one.name, None, None))  # nobody is told how far it is
                continue
            kind: TypeAdapter[Any] = TypeAdapter(hints[one.name])
            schema = kind.json_schema(ref_template="#/components/schemas/{model}")
            found.append((one.name, kind, example(schema, schema.get("$defs", {}), name=one.name)))
    return found


def arguments(verb: Any) -> dict[str, Any]:
    """Something for each argument that a verb needs, made from its type."""
    return {name: kind.validate_python(value) if kind else None for name, kind, value in wanted(verb)}


def through_the_function(workspace: Workspace, comer: Comer) -> list[str]:
    """Verbs that answer somebody otherwise than the table says, called as the library and the commands call them."""
    wrong = []
    assert comer.actor is not None
    seen = workspace.as_actor(comer.actor)
    for verb in registered():
        expected = comer.may(verb.needs) and not comer.elsewhere
        refused = False
        try:
            verb(seen, **arguments(verb))
        except Forbidden as problem:
            refused = f"'{verb.needs}'" in problem.message or "another project" in problem.message
        except (SfumatoError, NoResultFound):
            pass  # it was let in, and what the example names is not there
        if refused == expected:
            wrong.append(f"{verb.name} ({verb.needs}): {'refused' if refused else 'let in'}")
    return wrong


class Door:
    """The studio, at which every address can be knocked with something that its schema allows."""

    def __init__(self, workspace: Workspace) -> None:
        never = dict.fromkeys(("sign-in", "create", "upload", "write"), (100_000, 100_000.0))
        self.client = open_studio(workspace, rates=never)
        self.told = self.client.app.openapi()
        self.addresses = [
            (said["operationId"], method, path, said)
            for path, methods in self.told["paths"].items()
            for method, said in methods.items()
            if method in OPERATIONS
        ]

    def needs(self, name: str, said: dict[str, Any]) -> str:
        """The permission that an address says it needs; one that no verb gives is that of reading."""
        return str(said.get("x-permission", "record.read"))

    def knock(self, method: str, path: str, said: dict[str, Any], headers: dict[str, str]) -> Any:
        """Send what the schema allows, made from the examples."""
        query = {}
        for one in said.get("parameters", []):
            value = one.get("example", "x")
            if one["in"] == "path":
                path = path.replace("{" + one["name"] + "}", quote(str(value), safe="/"))
            elif one["in"] == "query" and one.get("required"):
                query[one["name"]] = value
        sent: dict[str, Any] = {}
        content = said.get("requestBody", {}).get("content", {})
        if "application/json" in content:
            sent["json"] = content["application/json"]["example"]
        elif "multipart/form-data" in content:
            sent = FORM
        elif content:
            sent["content"] = b"no picture"
        self.client.cookies.clear()
        return self.client.request(method, path, params=query, headers=headers, **sent)


def through_the_door(door: Door, comer: Comer) -> list[str]:
    """Addresses that answer somebody otherwise than the table says."""
    wrong = []
    for name, method, path, said in door.addresses:
        needs = door.needs(name, said)
        allowed = comer.known and comer.may(needs)
        if name == "event.stream" and allowed:
            continue  # it would be listened to for ever
        answer = door.knock(method, path, said, comer.headers)
        refused = answer.status_code == 401 if not comer.known else (
            answer.status_code == 403 and f"'{needs}'" in answer.json()["detail"]
        )  # fmt: skip
        if refused == allowed or answer.status_code >= 500 or (allowed and answer.status_code == 401):
            wrong.append(f"{name} ({needs}): {answer.status_code} {answer.text[:200]}")
    return wrong
