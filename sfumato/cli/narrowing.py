"""The flags that say which pictures of a dataset are meant, the same for every command, and asking before many change.

A command that is `narrowed` takes `meant`, from which it asks for the Where.
"""

import functools
import inspect
import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sfumato.cli.speech import asked, console
from sfumato.errors import InvalidInput

if TYPE_CHECKING:
    from sfumato.actions import Workspace
    from sfumato.data.narrowing import Where

PANEL = "Which pictures"
YES = typer.Option("--yes", help="Do not ask before many pictures change.")
DRY_RUN = typer.Option("--dry-run", help="Only say how many pictures are meant, and change nothing.")
TEXTS = {
    "words": "With these words in caption or tags.",
    "style": "In this style.",
    "licence": "Under this licence.",
    "category": "Of this category.",
    "concept": "Showing this thing.",
    "source": "From this source.",
    "author": "By this author.",
    "state": "'kept' or 'left out'.",
    "consent": "With this consent.",
    "family": "Of this family.",
    "check": "With an open finding of this check; '*' for any.",
    "group": "Of this group of copies.",
    "decision": "Touched by this decision, by its whole id.",
}


class Narrowed:
    """What the flags of a call said."""

    def __init__(self, given: dict[str, Any], dataset: str = "") -> None:
        self.dataset = dataset
        self.given = {name: value for name, value in given.items() if value not in (None, [], False)}

    def where(self, workspace: "Workspace") -> "Where":
        """The pictures that are meant; raises InvalidInput where nothing was said."""
        from sfumato.data.items import show_item
        from sfumato.data.narrowing import Where

        said = dict(self.given)
        if not said:
            raise InvalidInput("Say which pictures are meant.", hint="`--everything` means all of them.")
        said.pop("everything", None)
        if "ids" in said:
            ends = [one.strip() for one in str(said["ids"]).split(",") if one.strip()]
            said["ids"] = [one if len(one) >= 36 else show_item(workspace, id=one).id for one in ends]
        said["attributes"] = dict(pair(one) for one in said.pop("attribute", []))
        said["ranges"] = dict(span(one) for one in said.pop("range", []))
        saved = self._saved(workspace, said.pop("slice", ""))
        for name in ("attributes", "ranges"):
            said[name] = saved.pop(name, {}) | said[name]
        return Where(**(saved | said))

    def _saved(self, workspace: "Workspace", name: str) -> dict[str, Any]:
        """What a saved slice is narrowed to; nothing where none is named."""
        from sfumato.data.slices import list_slices
        from sfumato.errors import unknown

        if not name:
            return {}
        slices = {one.name: one.where for one in list_slices(workspace, name=self.dataset)}
        if name not in slices:
            raise unknown("slice", name, slices)
        return dict(slices[name].model_dump(exclude_defaults=True))


def pair(said: str) -> tuple[str, str]:
    """The two sides of NAME=VALUE; raises InvalidInput."""
    name, equals, value = said.partition("=")
    if not equals or not name.strip():
        raise InvalidInput(f"'{said}' is no NAME=VALUE.", hint="For example: skin=medium")
    return name.strip(), value.strip()


def span(said: str) -> tuple[str, tuple[float | None, float | None]]:
    """The name and both ends of NAME=LOW..HIGH, of which one may be missing, or of NAME=VALUE; raises InvalidInput."""
    name, value = pair(said)
    low, dots, high = value.partition("..")
    high = high if dots else low  # one value alone is both ends
    try:
        ends = tuple(float(end) if end else None for end in (low, high))
    except ValueError:
        ends = (math.nan, None)
    if not all(end is None or math.isfinite(end) for end in ends):
        raise InvalidInput(f"'{said}' is no NAME=LOW..HIGH.", hint="For example: sharpness=..0.2")
    return name, (ends[0], ends[1])


def narrowed(function: Callable[..., None]) -> Callable[..., None]:
    """Give a command the flags that say which pictures are meant, in place of its parameter `meant`."""
    own = list(inspect.signature(function).parameters.values())
    flags = [*(_flag(name, str, says) for name, says in TEXTS.items())]
    flags += [
        _flag("ids", str, "These pictures: their ids, or the ends of them, with commas between.", metavar="ID,ID"),
        _flag("attribute", list[str], "With this attribute; may be said again.", metavar="NAME=VALUE"),
        _flag("range", list[str], "Measured between these; may be said again.", metavar="NAME=LOW..HIGH"),
        _flag("slice", str, "In this saved slice.", metavar="SLICE"),
        _flag("no_caption", bool, "Without a caption."),
        _flag("suggested", bool, "With a suggestion that waits."),
        _flag("everything", bool, "All of them."),
    ]

    @functools.wraps(function)
    def run(**given: Any) -> None:
        of = str(given.get("name") or given.get("label") or "").partition("@")[0]
        meant = Narrowed({one.name: given.pop(one.name) for one in flags}, of)
        function(meant=meant, **given)

    kept = [one.replace(kind=inspect.Parameter.KEYWORD_ONLY) for one in own if one.name != "meant"]
    run.__signature__ = inspect.Signature([*kept, *flags])  # type: ignore[attr-defined]
    run.__annotations__ = {one.name: one.annotation for one in (*kept, *flags)}
    return run


def _flag(name: str, kind: Any, says: str, *, metavar: str | None = None) -> inspect.Parameter:
    default: Any = False if kind is bool else None
    spelt = f"--{name.replace('_', '-')}"
    option = typer.Option(spelt, help=says, metavar=metavar, rich_help_panel=PANEL, show_default=False)
    annotation: Any = Annotated[kind if kind is bool else kind | None, option]
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, annotation=annotation, default=default)


def agreed(
    context: typer.Context, workspace: "Workspace", name: str, where: "Where", *, what: str, yes: bool, dry_run: bool
) -> bool:
    """Count the pictures that are meant, and whether to go on: a person at a terminal is asked, a dry run ends here."""
    from sfumato.data.records import called
    from sfumato.data.verdicts import show_meant

    if not dry_run and (yes or not console(stderr=True).is_terminal or (where.ids and len(where.ids) < 2)):
        return True
    found = show_meant(workspace, name=name, where=where.model_dump_json())
    left_out = f" ({found.left_out:,} of them left out)" if found.left_out else ""
    count = f"{found.n:,} picture{'s' * (found.n != 1)} of {name}{left_out}"
    if dry_run:
        if not asked(context).json:
            console().print(f"This would {what} {count}. Nothing was changed.", markup=False)
            for one in found.first:
                console().print(f"  {one.id[-12:]}  {called(one.name, one.key)}", markup=False)
        else:
            typer.echo(f'{{"n": {found.n}, "left_out": {found.left_out}}}')
        return False
    typer.confirm(f"This will {what} {count}. Go on?", abort=True, err=True)
    return True
