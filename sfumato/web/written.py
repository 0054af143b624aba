"""Results as JSON by their types, so that what is sent is what OpenAPI says."""

from functools import cache
from typing import Any

from pydantic import TypeAdapter


@cache
def adapter(kind: Any) -> TypeAdapter[Any]:
    """What knows how to write a type; made once, since that is slow."""
    return TypeAdapter(kind)


def as_json(kind: Any, value: Any) -> Any:
    """A result as dicts, lists, strings and numbers."""
    return adapter(kind).dump_python(value, mode="json")


def as_bytes(kind: Any, value: Any) -> bytes:
    """A result as the bytes of a JSON document."""
    return adapter(kind).dump_json(value)
