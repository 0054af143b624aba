"""The API's own description: OpenAPI 3.1 with one form of problem, the two ways to sign in, and examples."""

from collections.abc import Sequence
from typing import Any

from fastapi.openapi.utils import get_openapi
from starlette.routing import BaseRoute

from sfumato import __version__
from sfumato.web.examples import add_examples
from sfumato.web.problems import JSON, TITLES, Problem

TOLD = (400, 401, 403, 404, 405, 409, 413, 421, 422, 429, 500, 503)
PROBLEMS: dict[int | str, dict[str, Any]] = {
    status: {
        "description": TITLES[status],
        "content": {JSON: {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }
    for status in TOLD
}
SECURITY = {
    "token": {"type": "http", "scheme": "bearer", "description": "A token of a person: Authorization: Bearer sfm_…"},
    "session": {
        "type": "apiKey", "in": "cookie", "name": "sfumato",
        "description": "The session of the studio's own pages; changes also need the header X-CSRF-Token.",
    },
}  # fmt: skip
ABOUT = (
    "Every verb of the studio as an address: what a page or a command does, a program can do here, with the same "
    'permissions. Lists are read a page at a time: send what "next" says as "after" until it is null. Where a change '
    "carries the header Idempotency-Key, sending it again gives the first answer and does nothing twice."
)


def describe(routes: Sequence[BaseRoute]) -> dict[str, Any]:
    """The description of an API that has these addresses."""
    found = get_openapi(
        title="Sfumato", version=__version__, openapi_version="3.1.0", description=ABOUT, routes=routes
    )  # fmt: skip
    parts = found.setdefault("components", {})
    schema = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
    parts.setdefault("schemas", {})["Problem"] = schema
    for unused in ("HTTPValidationError", "ValidationError"):
        parts["schemas"].pop(unused, None)
    parts["securitySchemes"] = SECURITY
    found["security"] = [{"token": []}, {"session": []}]
    add_examples(found)
    return found
