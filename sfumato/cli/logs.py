"""`sfumato logs`: what the studio wrote down of its work, and the line of an error by its id."""

import json
from typing import Annotated, Any

import typer

from sfumato.cli.speech import answer, opened

app = typer.Typer(add_completion=False)


@app.command()
def logs(
    context: typer.Context,
    error: Annotated[str, typer.Argument(metavar="ID", help="The id that an error showed.")] = "",
    last: Annotated[int, typer.Option(min=1, max=100_000, help="How many lines, the newest last.")] = 20,
) -> None:
    """Show the last lines of the logs, or what is known of one error.

    Example: `sfumato logs 7kq2mx4d`
    """
    from sfumato.care.log import read_log

    with opened(context) as workspace:
        found = read_log(workspace, error=error, last=last)
    answer(context, found, lambda: "\n".join(map(line, found)) or "Nothing was logged yet.")


def line(said: dict[str, Any]) -> str:
    """One line of a log in words: when, how bad, what, and the rest as it is."""
    head = f"{str(said.pop('time', ''))[:19]} {said.pop('level', ''):7} {said.pop('event', '')}"
    trail = said.pop("traceback", "")
    rest = " ".join(f"{key}={json.dumps(value, ensure_ascii=False)}" for key, value in said.items() if key != "log")
    return f"{head} {rest}".rstrip() + (f"\n{trail}" if trail else "")
