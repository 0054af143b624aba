"""`sfumato restore`: a workspace made of a backup."""

from pathlib import Path
from typing import Annotated

import typer

from sfumato.cli.doctor import told
from sfumato.cli.speech import answer, asked
from sfumato.cli.steps import work_off

app = typer.Typer(add_completion=False)


@app.command()
def restore(
    context: typer.Context,
    source: Annotated[Path, typer.Argument(metavar="FILE", help="A backup.")],
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="A new or an empty folder.")],
) -> None:
    """Make a workspace of a backup in a new folder, check every hash, upgrade it, and examine it.

    With `--database` or SFUMATO_DATABASE_URL the records go into that PostgreSQL, which has to be empty. Exit codes
    are those of `sfumato doctor`.

    Example: `sfumato restore studio.zip ./studio-again`
    """
    from sfumato.care.restore import restore as restore_backup

    made = work_off(context, "restore", restore_backup(source, folder, database_url=asked(context).database))
    keys = "" if made.with_keys else " It has no secret keys: new pictures are signed with a new one."
    said = (
        f"Restored {made.rows:,} records and {made.files:,} files into {made.path}, as of {made.made_at[:16]}.{keys}\n"
    )
    answer(context, made, lambda: told(made.report, begin=said))
    raise typer.Exit(made.report.code)
