"""Commands made from plug-ins: one for each source or recipe, its flags read from the schema of its options.

Schemas lie in options.json, written by `python -m docs.write`, so that asking for help imports no plug-in. One
that a third party has added is not in the file, and is imported when its own command is called.
"""

import inspect
import json
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Annotated, Any, Literal

import typer
from typer.core import TyperGroup

from sfumato.catalog import Catalog
from sfumato.cli.shared import share
from sfumato.errors import unknown

SCHEMAS = Path(__file__).with_name("options.json")
EXAMPLES = {"path": "./pictures"}  # of options that are needed
SIMPLE = {"integer": int, "number": float, "boolean": bool, "string": str}


@cache
def written_schemas() -> dict[str, dict[str, Any]]:
    """Return the schemas that were written, by package and plug-in."""
    return json.loads(SCHEMAS.read_text(encoding="utf-8"))


def names(package: str) -> list[str]:
    """Return the plug-ins of a package, none of them imported."""
    return Catalog(package, ("Options",)).names()


def schema(package: str, name: str) -> dict[str, Any]:
    """Return the JSON schema of a plug-in's options; raises NotFound with the nearest name."""
    written = written_schemas().get(package, {})
    return written[name] if name in written else described(Catalog(package, ("Options",)).get(name))


def described(module: ModuleType) -> dict[str, Any]:
    """Return the JSON schema of a plug-in's options, with what its module says it is for."""
    says = inspect.cleandoc(module.__doc__ or "").split("\n\n")[0]
    return {**module.Options.model_json_schema(), "description": says}


def parameter(key: str, said: Mapping[str, Any], *, required: bool) -> inspect.Parameter:
    """Turn one property of a schema into a keyword parameter that Typer reads as a flag."""
    kind: Any = SIMPLE.get(said.get("type", "string"), str)
    if "enum" in said:
        kind = Literal[tuple(said["enum"])]
    elif said.get("type") == "array":
        kind = list.__class_getitem__(SIMPLE.get(said.get("items", {}).get("type", "string"), str))
    option = typer.Option(
        help=said.get("description", ""),
        rich_help_panel="Options of this one",
        show_default=str(said["default"]) if said.get("default") not in (None, "") else False,
        **({name: said[bound] for name, bound in (("min", "minimum"), ("max", "maximum")) if bound in said}),
    )
    annotation = Annotated[kind if required else kind | None, option]  # type: ignore[valid-type]
    default = inspect.Parameter.empty if required else None
    return inspect.Parameter(key, inspect.Parameter.KEYWORD_ONLY, annotation=annotation, default=default)


def with_options(function: Callable[..., None], plugin: str, schema: dict[str, Any]) -> Callable[..., None]:
    """Return `function` as a command of one plug-in, with a flag for each of the plug-in's options.

    The function takes the plug-in's name and the options that were given, besides its own parameters.
    """
    own = [one for one in inspect.signature(function).parameters.values() if one.name not in ("plugin", "options")]
    required = set(schema.get("required", ()))
    extra = [parameter(key, said, required=key in required) for key, said in schema.get("properties", {}).items()]

    def run(**given: Any) -> None:
        options = {one.name: given.pop(one.name) for one in extra}
        said = {key: value for key, value in options.items() if value is not None and value != []}
        function(plugin=plugin, options=said, **given)

    signature = inspect.Signature([one.replace(kind=inspect.Parameter.KEYWORD_ONLY) for one in own] + extra)
    run.__signature__ = signature  # type: ignore[attr-defined]
    run.__annotations__ = {one.name: one.annotation for one in signature.parameters.values()}
    needed = "".join(f" --{key.replace('_', '-')} {EXAMPLES.get(key, key.upper())}" for key in sorted(required))
    run.__doc__ = f"{schema['description']}\n\n{inspect.getdoc(function)}".replace("PLUGIN", plugin + needed)
    return run


class PlugIns(TyperGroup):
    """A group with one command for each plug-in of a package, beside those it names itself."""

    package: str
    kind: str
    function: Callable[..., None]

    def list_commands(self, ctx: Any) -> list[str]:
        """Return the plug-ins' names, then the group's own."""
        return [*names(self.package), *self.commands]

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """Return a plug-in's command, made from its schema, or one of the group's own."""
        if cmd_name in self.commands or cmd_name not in names(self.package):
            return self.commands.get(cmd_name)
        app = typer.Typer(add_completion=False)
        app.command(cmd_name)(with_options(type(self).function, cmd_name, schema(self.package, cmd_name)))
        command: Any = typer.main.get_command(app)
        share(command)
        return command

    def resolve_command(self, ctx: Any, args: list[str]) -> tuple[Any, Any, list[str]]:
        """Return name, command and what is left; raises NotFound with the nearest name."""
        if not args[0].startswith("-") and args[0] not in self.list_commands(ctx):
            raise unknown(self.kind, args[0], self.list_commands(ctx))
        return super().resolve_command(ctx, args)


def group(package: str, kind: str, function: Callable[..., None]) -> type[PlugIns]:
    """Return the group of one package's plug-ins, for `typer.Typer(cls=...)`."""
    return type("Group", (PlugIns,), {"package": package, "kind": kind, "function": staticmethod(function)})
