"""Errors as a browser and a program are told them: one form, with what to do, and an id that the log knows."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response

from sfumato.errors import Busy, Forbidden, InvalidInput, SfumatoError

JSON = "application/problem+json"
TITLES = {
    400: "Cannot be read", 401: "Sign in first", 403: "Not allowed", 404: "Not found", 405: "Not possible here",
    409: "It would collide", 413: "Too large", 415: "Of another kind", 421: "Another host", 422: "Cannot be used",
    429: "Too often", 499: "Stopped", 500: "Something went wrong", 501: "Not possible here", 503: "Busy",
    507: "The disk is full",
}  # fmt: skip
DETAILS = {
    404: ("There is nothing at this address.", "Check the address, or look for it with the search."),
    405: ("This address cannot be used in this way.", "The API's page says what each address takes."),
}


class SignInNeeded(Forbidden):
    """Nobody has signed in, or what was shown does not count."""

    status = 401


class TooLarge(InvalidInput):
    """More was sent than is taken."""

    status = 413


class OtherHost(Forbidden):
    """The studio was called by a name that is not its own."""

    status = 421


class TooOften(Busy):
    """Somebody asks faster than is good for the others; `seconds` until it is taken again."""

    status = 429

    def __init__(self, message: str, seconds: float) -> None:
        super().__init__(message, hint=f"Wait {max(1, round(seconds))} s and try again.")
        self.seconds = max(1, round(seconds))


class Problem(BaseModel):
    """What went wrong, in the form of RFC 9457; `hint` says what to do, `id` is found in the studio's log."""

    model_config = ConfigDict(json_schema_extra={"example": {
        "type": "/api#not-found", "title": "Not found", "status": 404, "detail": "There is no dataset 'emojis'.",
        "hint": "Did you mean 'emoji'?", "id": "k3m9x2qa",
    }})  # fmt: skip

    type: str = Field(description="which kind of problem, as an address in the API's page")
    title: str = Field(description="the kind in a few words")
    status: int = Field(description="the HTTP status")
    detail: str = Field(description="what happened")
    hint: str = Field("", description="what to do about it")
    id: str = Field("", description="found in the studio's log, and in no other answer")


@dataclass(frozen=True)
class Told:
    """A problem before it is written for a browser or for a program."""

    problem: Problem
    headers: Mapping[str, str] = field(default_factory=dict)
    unforeseen: bool = False


def told(error: BaseException, said_id: str = "") -> Told:
    """Put any error into words; what nobody foresaw says only where to look for more."""
    if isinstance(error, SfumatoError):
        headers = {"Retry-After": str(error.seconds)} if isinstance(error, TooOften) else {}
        return Told(_problem(error.status, error.message, error.hint, said_id), headers)
    if isinstance(error, RequestValidationError):
        return Told(_problem(422, *_invalid(error.errors()), said_id))
    if isinstance(error, HTTPException):
        detail, hint = DETAILS.get(error.status_code, (str(error.detail), ""))
        return Told(_problem(error.status_code, detail, hint, said_id), error.headers or {})
    detail = "Something went wrong that should not. Nothing that was kept before is lost."
    return Told(_problem(500, detail, f"The log knows it as {said_id}: sfumato logs {said_id}", said_id), {}, True)


def _problem(status: int, detail: str, hint: str, said_id: str) -> Problem:
    title = TITLES.get(status) or HTTPStatus(status).phrase.capitalize()
    kind = title.lower().replace(" ", "-")
    return Problem(type=f"/api#{kind}", title=title, status=status, detail=detail, hint=hint, id=said_id)


def _invalid(errors: Any) -> tuple[str, str]:
    """What cannot be used, in words, the first thing first."""
    found = []
    for one in list(errors)[:5]:
        place = ".".join(str(part) for part in one["loc"] if part not in ("body", "query", "path", "header"))
        why = str(one["msg"]).removeprefix("Value error, ").removeprefix("Input ")
        found.append(f"'{place}': {why}" if place else why)
    more = len(errors) - len(found)
    said = "; ".join(found) + (f"; and {more} more" if more > 0 else "")
    return f"This cannot be used: {said}.", "Correct it and send it again; the API's page says what is taken."


def as_json(found: Told) -> Response:
    """The answer to a program."""
    return JSONResponse(found.problem.model_dump(), found.problem.status, dict(found.headers), JSON)


def wants_json(path: str, accepts: str) -> bool:
    """Whether a program asks, or a script of a page, rather than a person."""
    return path.startswith("/api/") or path == "/healthz" or "html" not in accepts
