"""`sfumato storage`: what takes the room, and making some."""

from typing import TYPE_CHECKING, Annotated

import typer

from sfumato.cli.speech import answer, opened, table

if TYPE_CHECKING:
    from sfumato.care.clearing import Clearing

app = typer.Typer(add_completion=False, help="See what takes the room, and make some.")
Yes = Annotated[bool, typer.Option("--yes", help="Do it; without it only what would go is shown.")]


@app.callback(invoke_without_command=True)
def show(context: typer.Context) -> None:
    """See what takes the room, per kind and the biggest things by name; `clear` and `tidy` make some.

    Example: `sfumato storage`
    """
    if context.invoked_subcommand is not None:
        return
    from sfumato.care.storage import take_stock
    from sfumato.store.disk import in_words

    with opened(context) as workspace:
        found = take_stock(workspace)
    rows: list[tuple[str, int | str, str]] = [(one.kind, one.files, in_words(one.bytes)) for one in found.kinds]
    rows += [("together", "", in_words(found.bytes)), ("free on the disk", "", in_words(found.free))]
    rows += [("", "", ""), *((one.what, one.kind, in_words(one.bytes)) for one in found.biggest)]
    answer(context, found, lambda: table(["what", ">files", ">room"], rows, empty="Nothing lies here yet."))


def told(found: "Clearing") -> str:
    """Say what goes or went, and what is lost with it."""
    from sfumato.store.disk import in_words

    if not found.things:
        return "There is nothing to clear."
    lines = [f"{one.what} ({in_words(one.bytes)})" for one in found.things[:20]]
    if len(found.things) > 20:
        lines.append(f"and {len(found.things) - 20:,} more")
    size = in_words(found.bytes)
    end = f"Cleared {size}." if found.done else f"{size} would go. Nothing was changed: `--yes` does it."
    return "\n".join([*lines, found.lost, end])


@app.command("clear")
def clear(
    context: typer.Context,
    what: Annotated[str, typer.Argument(metavar="caches|copies|checkpoints", help="What may go.")],
    keep_last: Annotated[int, typer.Option(metavar="N", help="Of each run so many of its last checkpoints stay.")] = 2,
    run: Annotated[str | None, typer.Option(metavar="NAME", help="Checkpoints of this run alone.")] = None,
    yes: Yes = False,
) -> None:
    """Make room. Of checkpoints each model's, the best and the last of each run, and each parent stay.

    Example: `sfumato storage clear checkpoints --keep-last 2 --run tiny --yes`
    """
    from sfumato.care.clearing import clear as clear_kind

    with opened(context) as workspace:
        found = clear_kind(workspace, what, keep_last=keep_last, run=run, really=yes)
    answer(context, found, lambda: told(found))


@app.command("tidy")
def tidy(context: typer.Context, yes: Yes = False) -> None:
    """Let go of logs, copies and caches that are older than the settings say, and of half-written files.

    Example: `sfumato storage tidy --yes`
    """
    from sfumato.care.clearing import tidy as let_go

    with opened(context) as workspace:
        found = let_go(workspace, really=yes)
    answer(context, found, lambda: told(found))
