"""What a command says: words and tables for a person, one JSON document with --json."""

import json
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING, Any

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from sfumato.cli.shared import Asked

if TYPE_CHECKING:
    from sfumato.actions import Workspace

PIPE_WIDTH = 160  # characters in a line where no terminal says how many there are


@cache
def console(*, stderr: bool = False) -> Console:
    """Return the console of stdout or stderr; wide where it is not a terminal, so that nothing is cut."""
    terminal = (sys.stderr if stderr else sys.stdout).isatty()
    return Console(stderr=stderr, highlight=False, width=None if terminal else PIPE_WIDTH)


def asked(context: typer.Context) -> Asked:
    """Return what the shared options said."""
    return context.find_root().obj


@contextmanager
def opened(context: typer.Context) -> "Iterator[Workspace]":
    """Open the workspace that was asked for, and close it at the end."""
    from sfumato.actions import Workspace

    said = asked(context)
    with Workspace.open(said.workspace, database_url=said.database) as workspace:
        project = said.project or workspace.settings.project
        yield in_project(workspace, project) if project else workspace


def in_project(workspace: "Workspace", name: str) -> "Workspace":
    """Go to the project of this name or id; raises NotFound with the nearest name."""
    from sfumato.people.projects import show_project

    return workspace.in_project(show_project(workspace, project=name).id)


def answer(context: typer.Context, result: Any, words: Callable[[], Any]) -> None:
    """Print a result: as JSON when asked, else the words or table that `words` makes of it."""
    if asked(context).json:
        from sfumato.actions import to_json

        sys.stdout.write(json.dumps(to_json(result), ensure_ascii=False, indent=2) + "\n")
    else:
        said = words()
        console().print(said, markup=False, soft_wrap=not console().is_terminal)


def pairs(known: Iterable[tuple[str, Any]]) -> Table:
    """Lay out pairs of a word and what it says, one to a line; those that say nothing are left out."""
    grid = Table.grid(padding=(0, 2))
    for word, said in known:
        if said not in ("", None):
            grid.add_row(Text(word, style="dim"), Text(f"{said:,}" if isinstance(said, int) else str(said)))
    return grid


def counts(found: Mapping[str, int]) -> str:
    """Say counts by name, the largest first: "9,001 MIT, 2,100 Apache-2.0"."""
    return ", ".join(f"{n:,} {name or 'unnamed'}" for name, n in sorted(found.items(), key=lambda one: -one[1]))


def plain(text: str) -> str:
    """A text without what steers a terminal, such as a file's name may hold."""
    return "".join(one if one.isprintable() or one == "\n" else "\N{REPLACEMENT CHARACTER}" for one in text)


def table(headings: Sequence[str], rows: Iterable[Sequence[Any]], *, empty: str) -> Table | str:
    """Build a plain table, or say what is said when there are no rows. Headings that start with ">" go right."""
    grid = Table(box=None, pad_edge=False, header_style="dim")
    for heading in headings:
        grid.add_column(heading.lstrip(">"), justify="right" if heading.startswith(">") else "left")
    count = 0
    for row in rows:
        grid.add_row(*(Text(f"{cell:,}" if isinstance(cell, int) else plain(str(cell or ""))) for cell in row))
        count += 1
    return grid if count else empty
