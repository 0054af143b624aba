"""`sfumato backup`: a copy of a whole workspace in one file, while others go on working."""

from pathlib import Path
from typing import Annotated

import typer

from sfumato.cli.speech import answer, opened
from sfumato.cli.steps import work_off

app = typer.Typer(add_completion=False)


@app.command()
def backup(
    context: typer.Context,
    target: Annotated[Path, typer.Argument(metavar="FILE", help="A new .zip file, or a folder to put one into.")],
    with_keys: Annotated[
        bool, typer.Option("--with-keys", help="Take the secret keys along: whoever has them signs as this studio.")
    ] = False,
) -> None:
    """Write a copy of the whole workspace: records, files, run folders, cards. Others may go on working.

    It restores onto either database. `sfumato restore` makes a workspace of it.

    Example: `sfumato backup studio.zip`
    """
    from sfumato.care.backup import back_up
    from sfumato.store.disk import in_words

    with opened(context) as workspace:
        made = work_off(context, "backup", back_up(workspace, target, with_keys=with_keys))
    lost = (
        f"\n{made.missing:,} files that records name were missing. `sfumato doctor` says which." if made.missing else ""
    )
    said = f"Wrote {made.path}: {in_words(made.bytes)}, {made.rows:,} records, {made.files:,} files.\n{made.says}{lost}"
    answer(context, made, lambda: said)
