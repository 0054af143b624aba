"""One map from every error to words on stderr and an exit code; a traceback only when asked for."""

import json
import os
import sys
import traceback
from typing import NamedTuple

import typer

from sfumato.cli.shared import Asked
from sfumato.errors import SfumatoError


class Failure(NamedTuple):
    """An error as the command line tells it."""

    kind: str
    code: int
    message: str
    hint: str


def failure(error: BaseException) -> Failure:
    """Return what to say about an error and the exit code that goes with it."""
    kind = type(error).__name__
    if isinstance(error, SfumatoError):
        return Failure(kind, error.code, error.message, error.hint)
    if isinstance(error, typer.TyperException):
        context = getattr(error, "ctx", None)
        path = context.command_path if context else "sfumato"
        return Failure("InvalidInput", 2, error.format_message(), f"`{path} --help` shows how it is called.")
    if isinstance(error, typer.Abort):
        return Failure("Cancelled", 130, "Stopped.", "")
    said = f"{kind}: {error}" if str(error) else kind
    return Failure(kind, 1, f"Something went wrong that should not: {said}", "With --debug it shows where.")


def report(error: BaseException, asked: Asked) -> int:
    """Write an error to stderr, in words or as JSON, and return its exit code."""
    if isinstance(error, BrokenPipeError):  # the reader of a pipe has left, as `| head` does
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    if asked.debug:
        traceback.print_exception(error)
    if type(error).__name__ == "NoArgsIsHelpError":  # a bare group: its help has been shown
        return 0
    told = failure(error)
    if asked.json:
        print(json.dumps({"error": told._asdict()}, ensure_ascii=False), file=sys.stderr)
    else:
        print(told.message, *filter(None, [told.hint]), sep="\n", file=sys.stderr)
    return told.code
