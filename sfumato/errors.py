"""Typed errors: one map from what went wrong to exit codes, HTTP statuses and words that say what to do."""

import difflib
from collections.abc import Iterable


class SfumatoError(Exception):
    """Something went wrong that a person can understand; `hint` says what to do about it."""

    code = 1
    status = 500

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message}\n{self.hint}" if self.hint else self.message


class InvalidInput(SfumatoError):
    """What was given cannot be used as it is."""

    code, status = 2, 422


class NotFound(SfumatoError):
    """There is no such thing."""

    code, status = 3, 404


class Gone(NotFound):
    """It was here, and was erased for a reason that is told."""

    code, status = 13, 410  # 10 to 12 say how a file or a workspace was found to be


class Forbidden(SfumatoError):
    """The person may not do this."""

    code, status = 4, 403


class Conflict(SfumatoError):
    """It would collide with something that exists."""

    code, status = 5, 409


class Damaged(SfumatoError):
    """A file or a database does not hold what it should."""

    code, status = 6, 500


class Busy(SfumatoError):
    """Something else holds it at the moment."""

    code, status = 7, 503


class NoSpace(SfumatoError):
    """The disk is full."""

    code, status = 8, 507


class Unsupported(SfumatoError):
    """This installation cannot do it; the hint says what to install."""

    code, status = 9, 501


class Cancelled(SfumatoError):
    """A person stopped it."""

    code, status = 130, 499


def of_code(code: int) -> type[SfumatoError]:
    """The kind of error that ends with this exit code, as another process told it; SfumatoError for any other."""
    own = {kind.code: kind for kind in globals().values() if isinstance(kind, type) and issubclass(kind, SfumatoError)}
    return own.get(code, SfumatoError)


def unknown(kind: str, name: str, known: Iterable[str]) -> NotFound:
    """Say that `kind` `name` does not exist and name the nearest one that does."""
    choices = sorted(known)
    near = difflib.get_close_matches(name, choices, n=1, cutoff=0.5)
    if near:
        return NotFound(f"There is no {kind} '{name}'.", hint=f"Did you mean '{near[0]}'?")
    if choices:
        shown = ", ".join(choices[:12]) + (" …" if len(choices) > 12 else "")
        return NotFound(f"There is no {kind} '{name}'.", hint=f"There is: {shown}.")
    return NotFound(f"There is no {kind} '{name}'.", hint=f"There is no {kind} yet.")
