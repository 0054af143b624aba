"""Pages that are answered at a glance: on the loop, since handing one on to a thread costs more than making it.

Only what is at hand is used: who comes was found out before, and the rows are read by a connection that waits for
nobody. Where more is needed, or somebody holds the database, the request goes the way that all others go.
"""

import inspect
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

from fastapi.routing import APIRoute
from sqlalchemy.exc import SQLAlchemyError
from starlette.responses import Response

from sfumato.db.glance import Glance
from sfumato.errors import SfumatoError
from sfumato.web.visits import TakesLonger, Visit

Endpoint = TypeVar("Endpoint", bound=Callable[..., Any])


def at_a_glance(endpoint: Endpoint) -> Endpoint:
    """Let a handler of a visit alone, which only reads, be tried on the loop before it is given to a thread."""
    endpoint.at_a_glance = True  # type: ignore[attr-defined]
    return endpoint


@dataclass(frozen=True)
class Glances:
    """The handlers that are tried so, by their address, and what they read from; None where nothing is near enough."""

    db: Glance | None
    routes: dict[str, tuple[APIRoute, Callable[[Visit], Response]]] = field(default_factory=dict)

    def find(self, routes: list[Any]) -> None:
        """Take up those of an app's routes whose handlers are marked."""
        found = [one for one in routes if isinstance(one, APIRoute) and hasattr(one.endpoint, "at_a_glance")]
        self.routes.update({one.path: (one, inspect.unwrap(one.endpoint)) for one in found})

    def answer(self, visit: Visit) -> Response | None:
        """The answer, or None where it takes longer; raises nothing that the ordinary way would tell as well."""
        if self.db is None or visit.path not in self.routes or visit.scope["method"] != "GET":
            return None
        route, handler = self.routes[visit.path]
        visit.hurry(self.db)
        try:
            _ = visit.workspace  # raises where nobody has come in, as the guard does
            answer = handler(visit)
        except (TakesLonger, SfumatoError, SQLAlchemyError, sqlite3.Error):
            return None
        finally:
            visit.take_time()
        visit.scope["route"] = route
        return answer

    def close(self) -> None:
        """Give the connection back."""
        if self.db is not None:
            self.db.close()
