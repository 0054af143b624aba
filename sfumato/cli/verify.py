"""`sfumato verify`: whether pictures are signed and unchanged, in words and by exit code."""

from pathlib import Path
from typing import Annotated, Any

import typer

from sfumato.cli.speech import answer, opened
from sfumato.errors import SfumatoError

app = typer.Typer(add_completion=False)
# The gravest one of several files is what the command ends with.
CODES = {"signed here": 0, "signer unknown here": 10, "unsigned": 11, "invalid": 12}


@app.command()
def verify(
    context: typer.Context,
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="Pictures.")],
) -> None:
    """Say of each picture whether its Content Credentials hold, who signed it, and what drew it.

    Exit codes: 0 valid and signed in this workspace, 10 valid but the signer is unknown here, 11 unsigned,
    12 invalid, that is changed since it was signed; 2 or 3 if a file is no picture or is not there. Of several
    files the gravest counts.

    Example: `sfumato verify red-apple-7.png`
    """
    from sfumato.trust.verify import verify as look

    found: list[Any] = []
    failed: SfumatoError | None = None
    with opened(context) as workspace:
        for file in files:
            try:
                found.append(look(workspace, file))
            except SfumatoError as problem:
                if len(files) == 1:
                    raise
                failed = problem
                found.append({"path": file, "state": "unreadable", "words": problem.message})
    words = [one["words"] if isinstance(one, dict) else one.words for one in found]
    answer(context, found, lambda: "\n".join(words))
    code = max((CODES[one.state] for one in found if not isinstance(one, dict)), default=0)
    raise typer.Exit(failed.code if failed else code)
