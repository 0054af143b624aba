"""The options that every command takes, before or after its name, and what was asked by them."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperCommand, TyperGroup, TyperOption

PANEL = "Everywhere"

WorkspaceOption = Annotated[
    Path | None,
    typer.Option(
        metavar="DIR",
        rich_help_panel=PANEL,
        help="The folder that holds all records and files. Else SFUMATO_WORKSPACE, else your data directory.",
    ),
]
DatabaseOption = Annotated[
    str | None,
    typer.Option(
        metavar="URL",
        rich_help_panel=PANEL,
        help="PostgreSQL for the records. Else SFUMATO_DATABASE_URL, else a file in the workspace.",
    ),
]
ProjectOption = Annotated[
    str | None,
    typer.Option(
        metavar="NAME",
        rich_help_panel=PANEL,
        help="The project to work in, by name or id. Else SFUMATO_PROJECT, else the first one.",
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", rich_help_panel=PANEL, help="Answer in JSON.")]
DebugOption = Annotated[
    bool, typer.Option("--debug", rich_help_panel=PANEL, help="Show where in the code an error arose.")
]


@dataclass
class Asked:
    """What the shared options said in this call."""

    workspace: Path | None = None
    database: str | None = None
    project: str | None = None
    json: bool = False
    debug: bool = False


def _shared(
    workspace: WorkspaceOption = None,
    database: DatabaseOption = None,
    project: ProjectOption = None,
    json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Carry the shared options, so that Typer makes its parameters of them."""


def remember(context: typer.Context, parameter: TyperOption, value: Any) -> Any:
    """Write a shared option that was given into the call's Asked; one that was not given changes nothing."""
    if value and isinstance(context.obj, Asked) and parameter.name is not None:
        setattr(context.obj, parameter.name, value)
    return value


def parameters() -> list[TyperOption]:
    """Build the shared options as parameters that any command can take without naming them."""
    app = typer.Typer(add_completion=False)
    app.command()(_shared)
    found = [one for one in typer.main.get_command(app).params if isinstance(one, TyperOption)]
    callback: Callable[..., Any] = remember
    for parameter in found:
        parameter.expose_value = False
        parameter.callback = callback
    return found


def share(command: TyperCommand | TyperGroup) -> None:
    """Add the shared options to a command and to all below it."""
    command.params.extend(parameters())
    for child in getattr(command, "commands", {}).values():
        share(child)
