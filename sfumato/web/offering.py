"""Offering an action or a query in the API: its own signature says what the address takes and gives."""

import hashlib
import inspect
import json
from collections.abc import Callable
from typing import Annotated, Any, Generic, TypeVar, get_args, get_origin, get_type_hints

from fastapi import Body, Header, Path, Query
from pydantic import BaseModel, ConfigDict, Field, ValidatorFunctionWrapHandler, WrapValidator, create_model
from starlette.responses import Response

from sfumato.actions import Workspace
from sfumato.actions.once import AnsweredBefore, Once, answered
from sfumato.actions.registry import require
from sfumato.web.addresses import Router
from sfumato.web.visits import Here, Visit, counted
from sfumato.web.written import as_bytes, as_json

Row = TypeVar("Row")
Verb = Callable[..., Any]
READS = ("GET", "HEAD")
MOST = 200  # of a list at once
KEY = Annotated[
    str | None,
    Header(alias="Idempotency-Key", min_length=1, max_length=120,
           description="The same key with the same body gives the first answer, and does nothing twice."),
]  # fmt: skip


class Listed(BaseModel, Generic[Row]):
    """A part of a list; `next` is what to send as `after` for the part that follows, null at the end."""

    items: list[Row]
    next: str | int | None = None


class Taken(BaseModel):
    """What an address takes in its body; what it does not know is refused."""

    model_config = ConfigDict(extra="forbid")


def strictly(body: type[BaseModel]) -> Any:
    """The body by the rules of JSON, in which days and choices are texts, and a number is no truth and no text."""

    def as_json(said: Any, handler: ValidatorFunctionWrapHandler) -> Any:
        return body.model_validate_json(json.dumps(said), strict=True) if isinstance(said, dict) else handler(said)

    return Annotated[body, WrapValidator(as_json)]


def offer(
    router: Router, method: str, path: str, verb: Verb, *, name: str = "", leave_out: tuple[str, ...] = (),
    key: str = "id", count_as: str = "", once: bool = True,
) -> None:  # fmt: skip
    """Make a verb an address. A query that takes `after` and `limit` is a list, read part by part by its `key`.

    Without `once` no answer is kept to be given again: it is a secret, or not what the action itself tells.
    """
    operation = name or verb.name  # type: ignore[attr-defined]
    hints = get_type_hints(inspect.unwrap(verb), include_extras=True)
    wanted = [one for one in list(inspect.signature(verb).parameters.values())[1:] if one.name not in leave_out]
    in_path = {one.name for one in wanted if f"{{{one.name}}}" in path or f"{{{one.name}:path}}" in path}
    in_body = [one for one in wanted if one.name not in in_path and method not in (*READS, "DELETE")]
    paged = method == "GET" and {"after", "limit"} <= {one.name for one in wanted}
    gives = hints["return"]
    answers: Any = Listed[get_args(gives)[0]] if paged else gives  # type: ignore[misc]
    body = _body(operation, in_body, hints) if in_body else None
    parameters = [inspect.Parameter("visit", inspect.Parameter.KEYWORD_ONLY, annotation=Here)]
    parameters += [_parameter(one, hints[one.name], one.name in in_path) for one in wanted if one not in in_body]
    if body is not None:
        needed = any(one.default is one.empty for one in in_body)
        strict = strictly(body)
        whole: Any = Annotated[strict if needed else strict | None, Body()]
        default: Any = inspect.Parameter.empty if needed else None
        parameters.append(inspect.Parameter("body", inspect.Parameter.KEYWORD_ONLY, annotation=whole, default=default))
    if method == "POST" and once:
        parameters.append(inspect.Parameter("key", inspect.Parameter.KEYWORD_ONLY, annotation=KEY, default=None))

    needs = getattr(verb, "needs", None) or _needs(operation)

    def endpoint(visit: Visit, body: BaseModel | None = None, key: str | None = None, **given: Any) -> Response:
        require(visit.workspace, needs)  # before anything is looked up, and before an earlier answer is given again
        options = given | ({name: getattr(body, name) for name in type(body).model_fields} if body else {})
        if paged:
            return _json(as_bytes(answers, _part(verb, visit.workspace, options, keyed)))
        if key is not None:
            return _json(_once(visit, verb, options, key, gives))
        return _json(as_bytes(gives, verb(visit.workspace, **options)))

    keyed = key
    endpoint.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    endpoint.__name__ = operation.replace(".", "_")
    says = " ".join(inspect.cleandoc(verb.__doc__ or "").split())
    router.add(
        path, counted(count_as)(endpoint) if count_as else endpoint, (method,), response_model=answers,
        operation_id=operation, name=operation, summary=_first(says), description=says,
        openapi_extra={"x-permission": needs},
    )  # fmt: skip


def _needs(operation: str) -> str:
    """The permission of the action or query of that name."""
    from sfumato.actions.registry import ACTIONS, QUERIES

    return str((ACTIONS.get(operation) or QUERIES[operation]).needs)


def _first(text: str) -> str:
    """The first sentence, short enough for a list."""
    return text.split(". ")[0].split(": ")[0].rstrip(".")


def _json(data: bytes, status: int = 200) -> Response:
    return Response(data, status, media_type="application/json")


def _parameter(one: inspect.Parameter, hint: Any, in_path: bool) -> inspect.Parameter:
    said = one.name.replace("_", " ")
    where: Any = Path(description=said) if in_path else Query(description=said)
    if one.name == "limit":
        where = Query(ge=1, le=MOST, description="how many at most")
    elif one.name == "after":
        where = Query(description="what `next` of the part before said")
    elif not in_path and hint is str:
        where = Query(max_length=400, description=said)
    default = inspect.Parameter.empty if in_path else one.default
    told = Annotated[hint, where]
    return inspect.Parameter(one.name, inspect.Parameter.KEYWORD_ONLY, annotation=told, default=default)


def _body(operation: str, taken: list[inspect.Parameter], hints: dict[str, Any]) -> type[BaseModel]:
    fields: dict[str, Any] = {}
    for one in taken:
        needed = one.default is inspect.Parameter.empty
        hint = hints[one.name]
        told = get_origin(hint) is Annotated
        fields[one.name] = (hint, ... if needed else one.default) if told else (
            hint, Field(... if needed else one.default, description=one.name.replace("_", " "))
        )  # fmt: skip
    return create_model(f"{operation.title().replace('.', '').replace('_', '')}Body", __base__=Taken, **fields)


def _part(verb: Verb, workspace: Workspace, options: dict[str, Any], key: str) -> Listed[Any]:
    """One part of a list: one more is asked for than is given, to know whether there is more."""
    limit = options["limit"]
    rows = verb(workspace, **options | {"limit": limit + 1})
    more = getattr(rows[limit - 1], key) if len(rows) > limit else None
    return Listed(items=rows[:limit], next=more)


def _once(visit: Visit, verb: Verb, options: dict[str, Any], key: str, gives: Any) -> bytes:
    """Do it, or give the answer that was given before; both are the same bytes."""
    plain = json.dumps(as_json(dict[str, Any], options), sort_keys=True)
    asked = hashlib.sha256(f"{visit.path}\0{visit.workspace.project}\0{plain}".encode()).hexdigest()
    once = Once(key, asked, lambda result: as_json(gives, result))
    try:
        with visit.workspace.read() as session:
            answered(session, visit.me.id, once)
        result = as_json(gives, verb(visit.workspace.doing_once(once), **options))
    except AnsweredBefore as before:
        result = before.answer
    return json.dumps(result, ensure_ascii=False, separators=(",", ":")).encode()
