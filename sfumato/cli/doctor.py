"""`sfumato doctor`: whether a workspace is sound, and mending what is safe to mend."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.text import Text

from sfumato.cli.speech import answer, asked, opened
from sfumato.cli.steps import work_off
from sfumato.errors import NotFound, SfumatoError

if TYPE_CHECKING:
    from sfumato.care.findings import Report

app = typer.Typer(add_completion=False)
STATES = {"sound": "Sound.", "trouble": "Something should be looked after.", "damage": "Something is damaged."}


def told(report: "Report", *, begin: str = "") -> Text:
    """Say what was found, the worst first, and what to do about it."""
    said = Text(begin)
    for one in sorted(report.findings, key=lambda one: (one.mended, ["damage", "trouble", "note"].index(one.level))):
        said.append(f"{'mended' if one.mended else one.level:8}", style="" if one.level == "note" else "bold")
        said.append(one.what + "\n")
        if one.todo:
            said.append(" " * 8 + one.todo + "\n", style="dim")
    looked = ", ".join(f"{n:,} {what}" for what, n in report.looked_at.items())
    how = "every file read" if report.deep else "files not read: `--deep` reads each"
    said.append(f"{STATES[report.state]} Looked at {looked} ({how}).")
    return said


@app.command()
def doctor(
    context: typer.Context,
    deep: Annotated[bool, typer.Option("--deep", help="Read every file, and compare it with its hash.")] = False,
    mend: Annotated[
        bool, typer.Option("--mend", help="Mend what is safe to mend; without it nothing is changed.")
    ] = False,
) -> None:
    """Examine the workspace: database, references, files, leases, events, keys, room.

    Exit codes: 0 sound, 10 something should be looked after, 11 something is lost or damaged.

    Example: `sfumato doctor --deep --mend`
    """
    from sfumato.care.doctor import before_opening, examine
    from sfumato.care.findings import Finding, Report
    from sfumato.settings import read_settings

    said, settings = asked(context), read_settings()
    folder = Path(said.workspace or settings.workspace).expanduser()
    in_file = not (said.database or settings.database_url)
    if in_file and not (folder / "workspace.db").exists():
        raise NotFound(f"There is no workspace in {folder}.", hint="Check the folder's name.")
    older = before_opening(folder) if in_file and not mend else None
    try:
        if older is not None:
            report = Report([older], {}, deep, mend)
        else:
            with opened(context) as workspace:
                report = work_off(context, "doctor", examine(workspace, deep=deep, mend=mend))
    except SfumatoError as problem:
        if type(problem).__name__ in ("Forbidden", "Cancelled"):
            raise
        report = Report([Finding("opening", "damage", problem.message, problem.hint)], {}, deep, mend)
    answer(context, {"state": report.state, "report": report}, lambda: told(report))
    raise typer.Exit(report.code)
