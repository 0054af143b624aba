"""The API's page: every address with what it takes, what it gives, and a call to copy."""

import json
from dataclasses import dataclass, field
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from sfumato.web.addresses import Router
from sfumato.web.desks import Page
from sfumato.web.problems import TITLES
from sfumato.web.visits import Here

router = Router()


@dataclass(frozen=True)
class Operation:
    """One address as the page shows it."""

    name: str
    method: str
    path: str
    title: str
    says: str
    permission: str
    takes: list[dict[str, Any]]
    body: str
    gives: str
    call: str


@dataclass
class Group:
    """The addresses of one room."""

    name: str
    operations: list[Operation] = field(default_factory=list)


@router.get("/api/v1/openapi.json")
def description(visit: Here, request: Request) -> Response:
    """OpenAPI 3.1, for tools."""
    return JSONResponse(request.app.openapi())


@router.get("/api")
def show_api(visit: Here, request: Request) -> Response:
    """All addresses of the API, by room."""
    problems = [(status, title, title.lower().replace(" ", "-")) for status, title in TITLES.items()]
    return visit.render(
        "api/page.html", page=Page("API"), groups=groups(request.app.openapi()), problems=problems,
        about=request.app.openapi()["info"]["description"],
    )  # fmt: skip


def groups(told: dict[str, Any]) -> list[Group]:
    """The operations of an OpenAPI document by their tag."""
    found: dict[str, Group] = {}
    for path, methods in told["paths"].items():
        for method, said in methods.items():
            tag = said["tags"][0]
            found.setdefault(tag, Group(tag)).operations.append(_operation(path, method, said, told))
    return [found[name] for name in sorted(found)]


def _operation(path: str, method: str, said: dict[str, Any], told: dict[str, Any]) -> Operation:
    takes = [one for one in said.get("parameters", []) if one["in"] in ("path", "query")]
    body = said.get("requestBody", {}).get("content", {}).get("application/json", {}).get("example")
    answer = next(one for status, one in said["responses"].items() if status.startswith("2"))
    gives = answer.get("content", {}).get("application/json", {}).get("example")
    call = f"curl -H 'Authorization: Bearer sfm_…' {'' if method == 'get' else f'-X {method.upper()} '}ADDRESS{path}"
    if body is not None:
        call += f" \\\n  -H 'Content-Type: application/json' -d '{json.dumps(body, ensure_ascii=False)}'"
    return Operation(
        said["operationId"], method.upper(), path, said.get("summary", ""), said.get("description", ""),
        said.get("x-permission", ""), takes, _pretty(body), _pretty(gives), call,
    )  # fmt: skip


def _pretty(value: Any) -> str:
    return "" if value is None else json.dumps(value, indent=2, ensure_ascii=False)
