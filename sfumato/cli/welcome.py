"""`sfumato welcome`: the first meeting. A workspace, a sentence, pictures, and what they are made from."""

import shutil
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from sfumato.cli.create import next_steps
from sfumato.cli.following import follow
from sfumato.cli.speech import answer, asked, console, opened

app = typer.Typer(add_completion=False)
FIRST = "a red apple, noto style"


@app.command()
def welcome(
    context: typer.Context,
    sentence: Annotated[
        str | None, typer.Argument(metavar="SENTENCE", help="What to draw; asked for if left out.")
    ] = None,
    seed: Annotated[int | None, typer.Option(help="Of the first picture; the same again gives the same.")] = None,
    out: Annotated[Path, typer.Option(metavar="DIR", help="Where the pictures go.")] = Path("pictures"),
) -> None:
    """Open the workspace, draw four pictures of a sentence, and say what they are made from.

    Example: `sfumato welcome "a red apple, noto style"`
    """
    from sfumato.compliance.trace import trace
    from sfumato.generation.create import create, created

    quiet, err = asked(context).json, console(stderr=True)
    with opened(context) as workspace:
        if not quiet:
            err.print(f"Your workspace is {workspace.path}. Everything is kept there.", markup=False, soft_wrap=True)
        wanted = create(workspace, prompt=sentence or ask(), out=out, options={} if seed is None else {"seed": seed})
        if not quiet:
            err.print(wanted.said, markup=False, soft_wrap=True, style="dim")
        made = created(wanted, follow(context, workspace, wanted.job, nearby=True))
        found = trace(workspace, str(made.pictures[0].path))
    if not quiet:
        from sfumato.cli.pictures import show

        show([one.path for one in made.pictures], console())
    result = {"workspace": workspace.path, "created": made, "answer": found.answer}
    answer(context, result, lambda: "\n".join(words(wanted, made, found)))


def ask() -> str:
    """Ask a person at a terminal for a sentence; elsewhere take the first one."""
    if not sys.stdin.isatty():
        return FIRST
    said: str = typer.prompt("What shall be drawn?", default=FIRST, err=True)
    return said


def words(wanted: Any, made: Any, found: Any) -> list[str]:
    """Say where the pictures lie, whether they may be used, and what to do next."""
    activate = Path(sys.executable).with_name("activate")
    beside = shutil.which("sfumato") is None and activate.exists()
    return [
        *(f"{one.path}  seed {one.seed}" for one in made.pictures),
        "",
        str(found.answer),
        "",
        *([f"For the commands below, once in each terminal:  . {shown(activate)}"] if beside else []),
        *next_steps(wanted, shown(made.pictures[0].path), ""),
    ]


def shown(path: Path) -> str:
    """A path as short as it can be said from here."""
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else str(path)
