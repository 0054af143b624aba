"""`sfumato trace`: what a picture or a record was made from, and whether the picture may be used."""

from typing import Annotated

import typer

from sfumato.cli.speech import answer, console, opened

app = typer.Typer(add_completion=False)
CODES = {"elsewhere": 10, "claimed": 11, "unknown": 11, "changed": 12}  # as `sfumato verify` ends
Subject = Annotated[str, typer.Argument(metavar="FILE|ID", help="A picture, or a record's id, the end of it, or name.")]


@app.command()
def trace(
    context: typer.Context,
    what: Subject,
    down: Annotated[bool, typer.Option("--down", help="Show as well what was made from it.")] = False,
) -> None:
    """Show what it was made from, up to the sources and their licences, and answer: may I use it?

    Exit codes: 0 its origin is on record here, 10 signed by somebody who is not known here, 11 nothing proves
    where it comes from, 12 changed since it was signed; 2 or 3 if it is no picture or there is no such record.

    Example: `sfumato trace red-apple-7.png`
    """
    from sfumato.compliance.trace import trace as trace_subject
    from sfumato.compliance.words import in_words

    with opened(context) as workspace:
        found = trace_subject(workspace, what, down=down)
    answer(context, found, lambda: in_words(found, min(console().width, 110)))
    if found.standing in CODES:
        raise typer.Exit(CODES[found.standing])
