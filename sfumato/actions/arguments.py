"""What an action is given is held against what its parameters say of themselves, whichever door it came through."""

import inspect
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, Literal, get_args, get_origin

from pydantic import TypeAdapter, ValidationError

from sfumato.errors import InvalidInput

LONGEST = 60  # letters of a value that a refusal repeats


def check_arguments(function: Callable[..., Any], options: Mapping[str, Any]) -> None:
    """Raise InvalidInput for the first argument outside of its parameter's choices or bounds (Literal, Annotated)."""
    for name, adapter in _bounded(function).items():
        if name not in options:
            continue
        try:
            adapter.validate_python(options[name])
        except ValidationError as problem:
            first = problem.errors()[0]
            said = repr(first["input"])
            said = said if len(said) <= LONGEST else f"{said[:LONGEST]}…"
            raise InvalidInput(f"`{name}` cannot be {said}.", hint=f"{first['msg']}.") from problem


@cache
def _bounded(function: Callable[..., Any]) -> dict[str, TypeAdapter[Any]]:
    parameters = inspect.signature(function).parameters.values()
    return {one.name: TypeAdapter(one.annotation) for one in parameters if _says_more(one.annotation)}


def _says_more(annotation: Any) -> bool:
    """Whether an annotation says more than a type."""
    if get_origin(annotation) is Literal or hasattr(annotation, "__metadata__"):
        return True
    return any(_says_more(part) for part in get_args(annotation))
