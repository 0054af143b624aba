"""Write the reference pages that code knows best: `python -m docs.write`. Tests fail when they are stale."""

import importlib
import inspect
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from typer.core import TyperGroup

from sfumato import errors
from sfumato.cli import entry, plugins, shared
from sfumato.cli.commands import COMMANDS

HERE = Path(__file__).parent
ROOMS = HERE.parent / "sfumato"
PLUGINS = ("sfumato.data.sources", "sfumato.training.recipes")  # those whose options are flags
SHARED = {name for option in shared.parameters() for name in option.opts}


def commands() -> Iterator[tuple[str, Any]]:
    """Yield ("sfumato data freeze", command) for every command, groups before what is in them."""
    for name, known in COMMANDS.items():
        yield from below(f"sfumato {name}", entry.Placeholder(name, known).load())


def below(path: str, command: Any) -> Iterator[tuple[str, Any]]:
    """Yield a command and all below it with their paths."""
    yield path, command
    if isinstance(command, TyperGroup):
        for name in command.list_commands(None):
            yield from below(f"{path} {name}", command.get_command(None, name))


def option_line(parameter: Any) -> str:
    """Return the row of the table for one option or argument."""
    names = [*parameter.opts, *parameter.secondary_opts]
    if parameter.param_type_name != "option":
        names = [(parameter.metavar or parameter.name).upper()]
    shown = "required" if parameter.required else ""
    told = getattr(parameter, "show_default", True)
    default = told if isinstance(told, str) else parameter.default
    if told and not callable(default) and default not in (None, False, (), ""):
        shown = f"`{default}`"
    help_text = " ".join((parameter.help or "").split())
    return f"| {', '.join(f'`{name}`' for name in names)} | {help_text} | {shown} |"


def command_page(path: str, command: Any) -> str:
    """Return the section of one command: what it is for, how it is called, its options."""
    text = inspect.cleandoc(command.help or "").replace("\b\n", "")
    parts = [f"{'##' if path.count(' ') == 1 else '###'} {path}", text]
    own = [one for one in command.params if not SHARED & set(one.opts) and one.name != "help"]
    if own:
        rows = [option_line(one) for one in own]
        parts.append("\n".join(["| option | meaning | default |", "|---|---|---|", *rows]))
    return "\n\n".join(parts)


def exit_codes() -> str:
    """Return the rows of the table of exit codes."""
    kinds = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, errors.SfumatoError)]
    own = sorted((kind.code, kind.__doc__ or "") for kind in kinds if kind is not errors.SfumatoError)
    told = [(1, "Anything else; `--debug` shows where."), *own]
    return "\n".join(f"| {code} | {meaning} |" for code, meaning in told)


def cli_page() -> str:
    """Return docs/cli.md."""
    options = "\n".join(option_line(one) for one in shared.parameters())
    head = (
        "# Commands\n\nWritten from the code by `python -m docs.write`; "
        "`sfumato COMMAND --help` says the same.\n\n"
        "Every command takes these, before or after its name:\n\n"
        f"| option | meaning | default |\n|---|---|---|\n{options}\n\n"
        "A command ends with 0, or with the code of what went wrong:\n\n"
        f"| code | meaning |\n|---|---|\n{exit_codes()}\n\n"
        "10 to 12 are what `verify`, `trace`, `doctor` and `restore` say of what they looked at."
    )
    return "\n\n".join([head, *(command_page(path, command) for path, command in commands())]) + "\n"


def registered() -> list[Callable[..., Any]]:
    """Return every action and query of every room, by name."""
    for path in sorted(ROOMS.rglob("*.py")):
        if re.search(r"^@(action|query)\(", path.read_text(encoding="utf-8"), re.MULTILINE):
            importlib.import_module(".".join(path.relative_to(ROOMS.parent).with_suffix("").parts))
    from sfumato.actions.registry import ACTIONS, QUERIES

    verbs = [known[name] for known in (ACTIONS, QUERIES) for name in sorted(known)]
    return [verb for verb in verbs if verb.__module__.startswith("sfumato.")]


def action_row(verb: Any) -> str:
    """Return the row of the table for one action or query."""
    taken = [name for name, one in inspect.signature(verb).parameters.items() if one.kind is one.KEYWORD_ONLY]
    sentence = re.split(r"(?<=\.)\s", " ".join((verb.doc or "").split()))[0]
    doors = ", ".join(verb.doors) or "system"
    options = ", ".join(f"`{name}`" for name in taken)
    return f"| `{verb.name}` | {sentence} | {options} | `{verb.needs}` | {doors} |"


def actions_page() -> str:
    """Return docs/actions.md."""
    from sfumato.actions.registry import ACTIONS, QUERIES

    verbs = registered()
    table = "| name | what it does | takes | permission | doors |\n|---|---|---|---|---|\n"
    changes = "\n".join(action_row(verb) for verb in verbs if verb.name in ACTIONS)
    reads = "\n".join(action_row(verb) for verb in verbs if verb.name in QUERIES)
    return (
        "# Actions and queries\n\nWritten from the code by `python -m docs.write`. An action checks "
        "permission, runs in one transaction and leaves one event; a query reads.\n\n"
        f"## Actions\n\n{table}{changes}\n\n## Queries\n\n{table}{reads}\n"
    )


def option_schemas() -> str:
    """Return the schemas of all plug-ins' options, by package and name."""
    found: dict[str, dict[str, Any]] = {}
    for package in PLUGINS:
        names = sorted(path.stem for path in (ROOMS.parent / package.replace(".", "/")).glob("[a-z]*.py"))
        modules = {name: importlib.import_module(f"{package}.{name}") for name in names}
        found[package] = {name: plugins.described(module) for name, module in modules.items()}
    return json.dumps(found, indent=1) + "\n"


# In this order: the pages are made from the schemas.
PAGES: dict[Path, Callable[[], str]] = {
    plugins.SCHEMAS: option_schemas,
    HERE / "cli.md": cli_page,
    HERE / "actions.md": actions_page,
}

if __name__ == "__main__":
    for path, page in PAGES.items():
        path.write_text(page(), encoding="utf-8")
        plugins.written_schemas.cache_clear()
        print(path.relative_to(HERE.parent))
