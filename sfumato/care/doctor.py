"""The doctor: looks at all that can be wrong with a workspace, and mends what is safe to mend."""

import contextlib
import sqlite3
from collections.abc import Generator
from pathlib import Path

from sfumato.actions import Act, Workspace, action
from sfumato.actions.registry import require
from sfumato.care.cards import check_cards
from sfumato.care.contents import check_drafts, check_erased, check_files, check_keys, check_orphans, check_room
from sfumato.care.database import (
    check_events,
    check_integrity,
    check_links,
    check_place,
    check_references,
    check_work,
)
from sfumato.care.findings import Check, Examination, Finding, Report
from sfumato.care.naming import tables_of
from sfumato.db.schema import newest
from sfumato.jobs import JobView, Progress, enqueue

CHECKS: tuple[Check, ...] = (
    check_place, check_integrity, check_references, check_links, check_events, check_work, check_erased, check_cards,
    check_files, check_orphans, check_drafts, check_keys, check_room,
)  # fmt: skip
NEEDS = "workspace.care"


def examine(workspace: Workspace, *, deep: bool = False, mend: bool = False) -> Generator[Progress, None, Report]:
    """Look at everything, file by file if `deep`, and mend what is safe if `mend`; returns what was found.

    Without `mend` nothing is changed. What is looked at belongs to all projects.
    """
    require(workspace, NEEDS)
    with workspace.db.read() as session:
        tables = tables_of(session.connection())
    exam = Examination(workspace, deep, mend, tables)
    for number, check in enumerate(CHECKS):
        for step in check(exam):
            yield step if step.total else Progress(number, len(CHECKS), "checks", step.say)
    yield Progress(len(CHECKS), len(CHECKS), "checks", "done")
    report = Report(exam.findings, exam.looked_at, deep, mend)
    mended = [one.what for one in report.findings if one.mended]
    if mended:
        _write_down(workspace, mended=mended)
    return report


@action("care.mend", needs=NEEDS, doors=("cli", "library"))
def _write_down(act: Act, *, mended: list[str]) -> None:
    """Write into the log what was mended."""
    act.says(f"mended {len(mended)} things", subject="workspace", outside=True, mended=mended)


@action("care.doctor", needs=NEEDS, doors=("api",))
def ask_doctor(act: Act, *, deep: bool = False, mend: bool = False) -> JobView:
    """Ask for the workspace to be examined, and for what is safe to be mended, by a worker."""
    act.says("asked for the workspace to be " + ("mended" if mend else "examined"), subject="workspace", outside=True)
    spec = {"deep": deep, "mend": mend}
    return enqueue(act, kind="care.doctor", spec=spec, key=f"care.doctor:{deep}:{mend}")


def before_opening(folder: Path) -> Finding | None:
    """What opening a workspace would change: an older schema is upgraded by whoever opens it."""
    file = folder / "workspace.db"
    found = None
    with (
        contextlib.suppress(sqlite3.Error, OSError),
        contextlib.closing(sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro", uri=True)) as database,
    ):
        row = database.execute("select version_num from alembic_version").fetchone()
        found = row[0] if row else None
    if found is None or found >= newest():
        return None
    what = f"The schema is of revision {found}, the newest is {newest()}. Nothing else was looked at."
    return Finding("schema", "trouble", what, "Every other command upgrades it, after a copy; so does `--mend`.")
