"""Letting a run's older weights go: its last checkpoints stay, its best, and whatever something else needs."""

import contextlib
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import fmean
from typing import Any

from sqlalchemy import MetaData, Table, delete, select, update
from sqlalchemy.orm import Session

from sfumato.checkpoints.records import Checkpoint
from sfumato.db import ACROSS, Link
from sfumato.jobs import JobContext
from sfumato.training.records import Run

OWN = {"checkpoint", "cleared"}  # tables that name weights without needing them


def let_go(ctx: JobContext, run: str, keep: int, folder: Path) -> int:
    """Delete a run's checkpoints but the last `keep`, the best, and those that something needs; returns how many.

    Rows go first, in one transaction with a note of their files; whoever is killed before the files are gone
    finds the note at the next turn. A file that another record names stays.
    """
    with ctx.write() as session:
        details = dict(session.scalar(select(Run.details).where(Run.id == run)) or {})
        going = set(details.get("letting_go", []))
        rows = session.scalars(select(Checkpoint).where(Checkpoint.run_id == run)).all()
        stay = last_and_best(rows, keep, folder / "log.jsonl")
        old = [row for row in rows if row.samples_seen not in stay]
        if old:
            kept = needed(session, _tables(session), besides=OWN) | parents_of_others(session)
            old = [row for row in old if not {row.id, row.content_hash, row.ref} & kept]
        if not old and not going:
            return 0
        for row in old:
            session.execute(delete(Link).where(Link.child == row.ref))
            session.delete(row)
        going |= {row.content_hash for row in old}
        session.execute(update(Run).where(Run.id == run).values(details=details | {"letting_go": sorted(going)}))
    remove_files(ctx, run, going)
    return len(old)


def remove_files(ctx: JobContext, run: str, going: set[str]) -> None:
    """Remove the files of weights whose rows are gone, but those that a record names again, and the note of them."""
    with ctx.write() as session:  # nobody can name one of them meanwhile
        tables = _tables(session)
        kept = needed(session, tables, besides={"cleared"})
        kept |= set(session.scalars(select(tables["checkpoint"].c.content_hash), execution_options=ACROSS))
        for sha256 in going - kept:
            ctx.workspace.store.remove(sha256)
        details = dict(session.scalar(select(Run.details).where(Run.id == run)) or {})
        details.pop("letting_go", None)
        session.execute(update(Run).where(Run.id == run).values(details=details))


def _tables(session: Session) -> dict[str, Table]:
    """All tables as they are, also those of rooms above; read in all projects."""
    found = MetaData()
    found.reflect(session.connection())
    return dict(found.tables)


def needed(session: Session, tables: dict[str, Table], *, besides: set[str]) -> set[str]:
    """Ids and hashes of weights that something needs: a model, a run that goes on from them, what is live.

    Tables named in `besides` tell of weights without needing them.
    """
    held: set[str] = set()
    for name, table in tables.items():
        if name not in besides:
            for column in table.columns:
                if column.name.endswith("sha256") or column.name == "checkpoint_id":
                    values = session.scalars(select(table.c[column.name]), execution_options=ACROSS)
                    held |= {one for one in values if one}
    return held


def parents_of_others(session: Session) -> set[str]:
    """Kind/ids of weights from which something else than weights was made: pictures, models, runs, publications."""
    made = select(Link.parent).where(
        Link.parent.like("checkpoint/%"), *(Link.child.notlike(f"{one}/%") for one in sorted(OWN))
    )
    return set(session.scalars(made))


def last_and_best(found: Sequence[Any], keep_last: int, log: Path) -> set[int]:
    """How far the checkpoints that stay had come: the last ones, and the one with the lowest held-out loss."""
    far = sorted({row.samples_seen for row in found})
    losses = dict(_losses(log))
    known = [one for one in far if one in losses]
    best = {min(known, key=lambda one: losses[one])} if known else set()
    return set(far[-keep_last:]) | best


def _losses(log: Path) -> Iterator[tuple[int, float]]:
    with contextlib.suppress(FileNotFoundError), log.open(encoding="utf-8") as stream:
        for line in stream:
            with contextlib.suppress(ValueError, KeyError, TypeError):
                said = json.loads(line)
                held_out = [float(one) for one in (said.get("held_out") or {}).values()]
                if held_out:
                    yield int(said["samples"]), fmean(held_out)
