"""Checks of the database: whole, of the right schema, and with every reference leading somewhere."""

from collections.abc import Iterator
from datetime import timedelta

from sqlalchemy import Connection, Table, func, select, text, update
from sqlalchemy.exc import DBAPIError

from sfumato.actions.workspace import FORMAT
from sfumato.care.findings import MEND, RESTORE, Examination, some
from sfumato.care.naming import HEX
from sfumato.db.schema import newest, revision_of
from sfumato.jobs import Progress
from sfumato.jobs.queue import database_now
from sfumato.store.disk import share_of

SOFT = (  # columns that name a row of another table without the database holding them to it
    ("image", "request_id", "request"), ("published", "image_id", "image"), ("model", "checkpoint_id", "checkpoint"),
    ("run", "version_id", "dataset_version"), ("checkpoint", "run_id", "run"),
)  # fmt: skip
LATE = timedelta(seconds=60)  # after its lease has run out a job is usually taken over at once


def check_place(exam: Examination) -> Iterator[Progress]:
    """Whether SQLite lies on a disk of this machine."""
    yield Progress(say="the place of the workspace")
    kind = share_of(exam.workspace.path) if exam.workspace.db.is_sqlite else ""
    if kind:
        exam.damage(
            "place", f"The workspace lies on a network share ({kind}), where SQLite's locks do not hold.",
            "Move it to a disk of this machine, or use PostgreSQL.",
        )  # fmt: skip


def check_integrity(exam: Examination) -> Iterator[Progress]:
    """Whether the database itself is whole."""
    yield Progress(say="the database's integrity")
    with exam.workspace.db.read() as session:
        if exam.workspace.db.is_sqlite:
            said = [str(row[0]) for row in session.execute(text("PRAGMA integrity_check(20)"))]
            wrong = [one for one in said if one != "ok"]
        else:
            broken = text("select indexrelid::regclass::text from pg_index where not indisvalid or not indisready")
            wrong = [f"the index {row[0]} is not valid" for row in session.execute(broken)]
            wrong += _unreadable(session.connection(), exam.tables)
        if wrong:
            exam.damage("database", f"The database is not whole: {some(wrong)}.", RESTORE)
        revision, facts = revision_of(session.connection()), exam.tables.get("workspace_info")
        found = session.scalar(select(facts.c.value).where(facts.c.key == "format")) if facts is not None else None
    if revision != newest() or found != str(FORMAT):
        exam.trouble(
            "schema", f"The schema is of revision {revision}, format {found}; this Sfumato has {newest()}, {FORMAT}.",
            "Open it with the newest Sfumato; it is upgraded then, after a copy.",
        )  # fmt: skip


def _unreadable(connection: Connection, tables: dict[str, Table]) -> list[str]:
    """Tables of PostgreSQL that cannot be read from end to end."""
    wrong = []
    for name, table in tables.items():
        try:
            with connection.begin_nested():
                for _ in connection.execute(select(table).execution_options(yield_per=5_000)):
                    pass
        except DBAPIError as problem:
            wrong.append(f"the table {name} cannot be read ({type(problem.orig).__name__})")
    return wrong


def check_references(exam: Examination) -> Iterator[Progress]:
    """Whether every row that another one names is there."""
    yield Progress(say="references between records")
    with exam.workspace.db.read() as session:
        for name, table in exam.tables.items():
            for key in table.foreign_keys:
                parent = key.column.table.alias()
                gone = select(func.count()).select_from(
                    table.outerjoin(parent, key.parent == parent.c[key.column.name])
                )
                count = session.scalar(gone.where(key.parent.is_not(None), parent.c[key.column.name].is_(None)))
                if count:
                    other = key.column.table.name
                    exam.damage("references", f"{count:,} rows of {name} name a {other} that is not there.", RESTORE)
        for name, column, other in SOFT:
            if name in exam.tables and other in exam.tables:
                own, named = exam.tables[name].c[column], exam.tables[other]
                gone = select(func.count()).where(
                    own.is_not(None), ~select(named.c.id).where(named.c.id == own).exists()
                )
                if count := session.scalar(gone):
                    exam.damage("references", f"{count:,} rows of {name} name a {other} that is not there.", RESTORE)


def check_links(exam: Examination) -> Iterator[Progress]:
    """Whether the links of the trace lead to records that exist."""
    yield Progress(say="links of the trace")
    table = exam.tables["link"]
    with exam.workspace.db.read() as session:
        ends: dict[str, set[str]] = {}
        for row in session.execute(select(table.c.child, table.c.parent).execution_options(yield_per=5_000)):
            for ref in row:
                kind, _, key = ref.partition("/")
                ends.setdefault(kind, set()).add(key)
        gone = []
        for kind, keys in sorted(ends.items()):
            other = exam.tables.get(kind)
            if other is None or "id" not in other.c:
                exam.note("links", f"{len(keys):,} links name a '{kind}', of which there is no table.")
                continue
            there = set(session.scalars(select(other.c.id)))
            # weights that ship with Sfumato, or whose run lies elsewhere, are linked by their hash
            gone += [f"{kind}/{key}" for key in sorted(keys - there) if not HEX.fullmatch(key)]
    exam.looked_at["links"] = sum(map(len, ends.values()))
    if gone:
        exam.trouble("links", f"{len(gone):,} links lead to records that are not there: {some(gone)}.", RESTORE)


def check_events(exam: Examination) -> Iterator[Progress]:
    """Whether the log of events has no gap, and its counter stands where it ends."""
    yield Progress(say="the log of events")
    table, facts = exam.tables["event"], exam.tables["workspace_info"]
    with exam.workspace.db.read() as session:
        count, first, last = session.execute(
            select(func.count(), func.min(table.c.position), func.max(table.c.position))
        ).one()
        counter = int(session.scalar(select(facts.c.value).where(facts.c.key == "events")) or 0)
    exam.looked_at["events"] = count
    if count and (first != 1 or last != count):
        exam.damage("events", f"The log of events has gaps: {count:,} events, numbered {first:,} to {last:,}.", RESTORE)
    if counter > (last or 0):
        exam.damage(
            "events", f"Events are missing at the end: {counter:,} were written, {last or 0:,} are there.", RESTORE
        )
    elif counter < (last or 0):
        if exam.mend:
            with exam.workspace.db.write() as session:
                session.execute(update(facts).where(facts.c.key == "events").values(value=str(last)))
        what = f"The counter of events stands at {counter:,}, but there are {last:,}."
        exam.trouble("events", what, MEND, mended=exam.mend)


def check_work(exam: Examination) -> Iterator[Progress]:
    """Whether jobs that claim to run have somebody who runs them, and runs have their job."""
    yield Progress(say="jobs and runs")
    jobs, runs = exam.tables["job"], exam.tables["run"]
    with exam.workspace.db.write() if exam.mend else exam.workspace.db.read() as session:
        moment = database_now(session) - LATE
        dead = (jobs.c.status == "running") & (jobs.c.lease_until < moment)
        kinds = list(session.scalars(select(jobs.c.kind).where(dead)))
        if kinds and exam.mend:
            session.execute(update(jobs).where(dead).values(status="waiting", worker=None, lease_until=None))
        if kinds:
            what = f"{len(kinds):,} jobs claim to run, but their worker is gone: {some(kinds)}."
            exam.trouble("jobs", what, f"{MEND} They wait for a worker then.", mended=exam.mend)
        lost = runs.c.job_id.is_not(None) & ~select(jobs.c.id).where(jobs.c.id == runs.c.job_id).exists()
        names = list(session.scalars(select(runs.c.name).where(lost)))
        if names and exam.mend:
            session.execute(update(runs).where(lost).values(job_id=None))
        if names:
            what = f"The job of these runs is gone: {some(names)}."
            exam.trouble("runs", what, f"{MEND} `sfumato train resume NAME` goes on with them then.", mended=exam.mend)
        exam.looked_at["jobs"] = session.scalar(select(func.count()).select_from(jobs)) or 0
