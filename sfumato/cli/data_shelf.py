"""`sfumato data`: giving a dataset another name, and putting one away."""

from typing import Annotated

import typer

from sfumato.cli.data_decide import Name
from sfumato.cli.speech import answer, opened

app = typer.Typer(add_completion=False)


@app.command()
def rename(
    context: typer.Context, name: Name, to: Annotated[str, typer.Argument(metavar="NEW", help="What it is called.")]
) -> None:
    """Give a dataset another name; what was written down with the old one still leads to it.

    Example: `sfumato data rename stamps stamps-2026`
    """
    from sfumato.data.shelving import rename_dataset

    with opened(context) as workspace:
        one = rename_dataset(workspace, name=name, to=to)
    answer(context, one, lambda: f"It is called {one.name} now.")


@app.command()
def archive(context: typer.Context, name: Name) -> None:
    """Put a dataset away: lists leave it out and nothing is collected into it; all that it holds stays.

    Example: `sfumato data archive stamps`
    """
    from sfumato.data.shelving import archive_dataset

    with opened(context) as workspace:
        one = archive_dataset(workspace, name=name)
    answer(context, one, lambda: f"{one.name} is put away. `sfumato data unarchive {one.name}` takes it out again.")


@app.command()
def unarchive(context: typer.Context, name: Name) -> None:
    """Take a dataset out again that was put away.

    Example: `sfumato data unarchive stamps`
    """
    from sfumato.data.shelving import unarchive_dataset

    with opened(context) as workspace:
        one = unarchive_dataset(workspace, name=name)
    answer(context, one, lambda: f"{one.name} is in use again.")
