"""`sfumato`: finds the command, runs it, and turns every error into words and an exit code."""

import importlib
import sys
from collections.abc import Sequence
from difflib import get_close_matches
from typing import Annotated, Any

import typer
from typer.core import TyperCommand, TyperGroup

from sfumato import __version__
from sfumato.cli.commands import COMMANDS, Entry
from sfumato.cli.failures import report
from sfumato.cli.shared import Asked, share
from sfumato.errors import InvalidInput


class Placeholder(TyperCommand):
    """Stands for a command in the help, until it is called."""

    def __init__(self, name: str, entry: Entry) -> None:
        super().__init__(name, help=entry.says, rich_help_panel=entry.panel)
        self.entry = entry

    def load(self) -> TyperCommand | TyperGroup:
        """Import the command's module and build it with the shared options."""
        command: Any = typer.main.get_command(importlib.import_module(self.entry.module).app)
        command.name = self.name
        share(command)
        return command


class Commands(TyperGroup):
    """The first level: names and one line each from the table, the modules only when called."""

    def list_commands(self, ctx: Any) -> list[str]:
        """Return the names in the order of the table."""
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> TyperCommand | None:
        """Return the placeholder of a command, or None when there is none of that name."""
        entry = COMMANDS.get(cmd_name)
        return Placeholder(cmd_name, entry) if entry else None

    def resolve_command(self, ctx: Any, args: list[str]) -> tuple[Any, Any, list[str]]:
        """Return name, loaded command and what is left of the arguments; InvalidInput for an unknown name."""
        if not args[0].startswith("-") and args[0] not in COMMANDS:
            close = get_close_matches(args[0], COMMANDS, n=1)
            hint = f"Did you mean '{close[0]}'?" if close else "`sfumato --help` lists them."
            raise InvalidInput(f"There is no command '{args[0]}'.", hint=hint)
        name, command, rest = super().resolve_command(ctx, args)
        return name, command.load() if isinstance(command, Placeholder) else command, rest


def tell_version(asked_for: bool) -> None:
    """Print the version and leave."""
    if asked_for:
        print(f"sfumato {__version__}")
        raise typer.Exit


app = typer.Typer(cls=Commands, no_args_is_help=True, rich_markup_mode="markdown")


@app.callback()
def sfumato(
    version: Annotated[
        bool,
        typer.Option("--version", callback=tell_version, is_eager=True, help="Show the version and leave."),
    ] = False,
) -> None:
    """A studio for image generation, and the record of how each picture came to be."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    asked = Asked(json="--json" in given, debug="--debug" in given)
    command = typer.main.get_command(app)
    share(command)  # type: ignore[arg-type]
    try:
        code = command.main(args=given, prog_name="sfumato", standalone_mode=False, obj=asked)
    except Exception as error:
        return report(error, asked)
    return code if isinstance(code, int) else 0
