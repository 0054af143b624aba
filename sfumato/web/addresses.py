"""The addresses of a module, written down; FastAPI puts them together once, when the studio takes them in."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

Handler = TypeVar("Handler", bound=Callable[..., Any])


@dataclass(frozen=True)
class Address:
    """A path, what answers there to which methods, and what else FastAPI is told of it."""

    path: str
    endpoint: Callable[..., Any]
    methods: tuple[str, ...]
    options: dict[str, Any] = field(default_factory=dict)


class Router:
    """Takes down addresses as FastAPI's own router does, and leaves the costly part of that to `adopt`."""

    def __init__(self) -> None:
        self.addresses: list[Address] = []

    def add(self, path: str, endpoint: Callable[..., Any], methods: tuple[str, ...], **options: Any) -> None:
        """Let this endpoint answer there."""
        self.addresses.append(Address(path, endpoint, methods, options))

    def get(self, path: str, **options: Any) -> Callable[[Handler], Handler]:
        """Let the decorated function answer to GET."""
        return self._taking("GET", path, options)

    def post(self, path: str, **options: Any) -> Callable[[Handler], Handler]:
        """Let the decorated function answer to POST."""
        return self._taking("POST", path, options)

    def _taking(self, method: str, path: str, options: dict[str, Any]) -> Callable[[Handler], Handler]:
        def taken(endpoint: Handler) -> Handler:
            self.add(path, endpoint, (method,), **options)
            return endpoint

        return taken
