"""The schema changes whole or not at all, after a copy, and once, whoever comes first."""

import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing

import pytest
from sqlalchemy import inspect, select, text

from sfumato.actions import Actor, Workspace
from sfumato.actions.records import Event
from sfumato.data.records import Dataset
from sfumato.db import open_database
from sfumato.db.schema import STEPS, migrate, newest
from sfumato.generation.records import Image, Published, Request
from sfumato.jobs.queue import handed_on
from sfumato.jobs.records import Job
from sfumato.migrations.write import differences
from sfumato.people.identify import roles_in

FACTS = {"format": "1", "events": "0"}
HALFWAY = """
import pathlib, time
import sqlalchemy as sa
from alembic import op
revision, down_revision = "9999", "{before}"
def upgrade():
    op.create_table("first_half", sa.Column("id", sa.Integer, primary_key=True))
    op.execute("update workspace_info set value = 'half' where key = 'events'")
    pathlib.Path("{marker}").write_text("half")
    time.sleep({pause})
    op.create_table("second_half", sa.Column("id", sa.Integer, primary_key=True))
"""
MIGRATE = """
import pathlib, sys
from sfumato.actions import Workspace
from sfumato.db.schema import migrate
with Workspace.open(create=False) as workspace:
    migrate(workspace.db, workspace.path / "copies", {}, steps=pathlib.Path(sys.argv[1]))
"""


def steps_with(folder, marker, pause):
    """A copy of the steps with one more, that stops for a while in its middle."""
    shutil.copytree(STEPS, folder / "steps", ignore=shutil.ignore_patterns("__pycache__"))
    step = HALFWAY.format(before=newest(), marker=marker, pause=pause)
    (folder / "steps/versions/9999_halfway.py").write_text(step)
    return folder / "steps"


def state(workspace):
    with workspace.db.read() as session:
        tables = set(inspect(session.connection()).get_table_names())
        facts = dict(session.execute(text("select key, value from workspace_info")).all())
        return tables, facts, session.execute(text("select version_num from alembic_version")).scalar()


def test_after_kill_9_in_the_middle_the_old_schema_is_there_whole(either, tmp_path):
    before = state(either)
    marker = tmp_path / "marker"
    steps = steps_with(tmp_path, marker, pause=60)
    command = [sys.executable, "-c", MIGRATE, str(steps)]
    with subprocess.Popen(command, env=handed_on(either)) as process:
        until = time.monotonic() + 60
        while not marker.exists() and time.monotonic() < until:
            time.sleep(0.02)
        process.send_signal(signal.SIGKILL)
    assert marker.exists()
    assert state(either) == before
    assert not {"first_half", "second_half"} & before[0]

    shutil.rmtree(tmp_path / "steps")
    migrate(either.db, either.path / "copies", {}, steps=steps_with(tmp_path, marker, pause=0))
    tables, facts, revision = state(either)
    assert {"first_half", "second_half"} <= tables
    assert (facts["events"], revision) == ("half", "9999")


def test_an_older_workspace_is_copied_then_upgraded_with_all_that_it_holds(settings, tmp_path):
    first = tmp_path / "first"
    shutil.copytree(STEPS, first, ignore=shutil.ignore_patterns("__pycache__", "000[2-9]*", "00[1-9]*"))
    settings.workspace.mkdir()
    old = open_database(settings.workspace / "workspace.db")
    migrate(old, settings.workspace / "copies", FACTS, steps=first)
    assert not (settings.workspace / "copies").exists(), "there was nothing to copy"
    with old.write() as session:
        values = "'j', '2026-01-01', 'person/alice', 'count', '{}', 'k', 'quick', 'waiting', 0, '{}', '[]'"
        columns = "id, made_at, made_by, kind, spec, key, lane, status, attempt, progress, roles"
        session.execute(text(f"insert into job ({columns}) values ({values})"))
    old.close()
    with Workspace.open(settings=settings) as workspace:
        with workspace.db.read() as session:
            assert session.execute(text("select kind, tries, furthest from job")).all() == [("count", 0, 0.0)]
        assert state(workspace)[2] == newest()
    [copy] = (settings.workspace / "copies").iterdir()
    assert copy.suffix == ".db"
    with closing(sqlite3.connect(copy)) as kept:
        assert kept.execute("select version_num from alembic_version").fetchone() == ("0001",)
        assert kept.execute("select kind from job").fetchall() == [("count",)]


def test_opening_again_neither_copies_nor_migrates(workspace):
    with Workspace.open(settings=workspace.settings) as again:
        assert state(again)[2] == newest()
    assert list((workspace.path / "copies").iterdir()) == []


@pytest.mark.postgres
def test_an_upgrade_on_postgresql_keeps_what_is_there(settings, postgresql_url, tmp_path):
    first = tmp_path / "first"
    shutil.copytree(STEPS, first, ignore=shutil.ignore_patterns("__pycache__", "000[2-9]*", "00[1-9]*"))
    old = open_database(postgresql_url)
    migrate(old, tmp_path, FACTS | {"own": "kept"}, steps=first)
    old.close()
    with Workspace.open(settings=settings, database_url=postgresql_url) as workspace:
        assert state(workspace)[1:] == ({**FACTS, "own": "kept"}, newest())


@pytest.mark.parametrize("kind", ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def test_several_processes_that_open_a_new_workspace_at_once_all_succeed(settings, kind, request):
    command = [sys.executable, "-c", "from sfumato.actions import Workspace; Workspace.open().close()"]
    environment = None
    if kind == "postgresql":
        import os

        environment = os.environ | {"SFUMATO_DATABASE_URL": request.getfixturevalue("postgresql_url")}
    opening = [subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environment) for _ in range(3)]
    said = [one.communicate(timeout=120)[1] for one in opening]
    assert [one.returncode for one in opening] == [0] * 3, said


def test_all_steps_together_make_the_tables_that_the_rooms_define(settings):
    found = differences()
    assert found.is_empty(), f"run: python -m sfumato.migrations.write NAME ({found.as_diffs()})"


@pytest.mark.parametrize("kind", ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def test_what_was_there_before_projects_belongs_to_the_first_and_what_was_private_to_who_asked(
    settings, kind, request, tmp_path
):
    url = request.getfixturevalue("postgresql_url") if kind == "postgresql" else None
    before = tmp_path / "before"
    shutil.copytree(STEPS, before, ignore=shutil.ignore_patterns("__pycache__", "000[5-9]*", "00[1-9]*"))
    settings.workspace.mkdir()
    old = open_database(url or settings.workspace / "workspace.db")
    migrate(old, tmp_path, FACTS, steps=before)
    with old.write() as session:
        for asked, private in (("open", False), ("secret", True)):
            for table, values in rows_of_a_request(asked, private).items():
                names = ", ".join(f'"{name}"' for name in values)
                marks = ", ".join(f":{name}" for name in values)
                session.execute(text(f"insert into {table} ({names}) values ({marks})"), values)
    old.close()
    with Workspace.open(settings=settings, database_url=url) as workspace:
        private = {"person/alice": ["open", "secret"], "person/bob": ["open"]}
        for person, expected in private.items():
            with workspace.as_actor(Actor(person, person, ("viewer",))).read() as session:
                for table in (Request, Image, Published, Job):
                    found = [key.split("-")[0] for key in session.scalars(select(table.id).order_by(table.id))]
                    assert found == expected, table
                assert len(session.scalars(select(Event)).all()) == 2 * len(expected)
        with workspace.in_project("another").read() as session:
            assert session.scalars(select(Request)).all() == []


def rows_of_a_request(key, private):
    """A request of alice with its job, its picture, what left of it, and both events, as they were before projects."""
    made = {"made_at": "2026-01-01", "made_by": "person/alice"}
    number = 1 if private else 2
    event = {"action": "image.create", "summary": "", "details": "{}", **made}
    return {
        "request": {
            "id": f"{key}-r", "prompt": "p", "private": private, "n": 1, "seed": 1, "sampler": "", "steps": 1,
            "guidance": 1, "background": "white", "upscale": 1, "engine": "", "model": "", "checkpoint_sha256": "",
            "understood": "{}", **made,
        },
        "image": {
            "id": f"{key}-i", "request_id": f"{key}-r", "place": 0, "seed": 1, "sha256": "", "width": 1, "height": 1,
            **made,
        },
        "published": {
            "id": f"{key}-p", "image_id": f"{key}-i", "sha256": "", "file_name": "", "mime": "", "background": "",
            **made,
        },
        "job": {
            "id": f"{key}-j", "kind": "generation.create", "spec": "{}", "key": f"generation.create:{key}-r",
            "lane": "quick", "status": "done", "attempt": 1, "progress": "{}", "roles": "[]", **made,
        },
        "event": {"id": f"{key}-e", "subject": f"request/{key}-r", "position": number, **event},
        " event": {"id": f"{key}-f", "subject": f"published/{key}-p", "position": number + 2, **event},
    }  # fmt: skip


@pytest.mark.parametrize("kind", ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def test_what_a_team_had_before_judgement_and_care_stays_theirs(settings, kind, request, tmp_path):
    url = request.getfixturevalue("postgresql_url") if kind == "postgresql" else None
    before = tmp_path / "before"
    shutil.copytree(STEPS, before, ignore=shutil.ignore_patterns("__pycache__", "000[6-9]*", "00[1-9]*"))
    settings.workspace.mkdir()
    old = open_database(url or settings.workspace / "workspace.db")
    migrate(old, tmp_path, FACTS, steps=before)
    made = {"made_at": "2026-01-01", "made_by": "person/alice"}
    own = {"version": 1, "changed_by": "", "changed_at": "2026-01-01", **made}
    rows = [
        ("project", {"id": "llamas", "name": "llamas", "description": "", **own}),
        ("person", {"id": "alice", "name": "Alice", "login": "alice", "owner": True, **own}),
        ("membership", {"id": "m", "person": "alice", "project": "llamas", "roles": '["viewer"]', **own}),
        ("dataset", {"id": "d", "name": "wool", "project_id": "llamas", **made}),
    ]
    with old.write() as session:
        for table, values in rows:
            names, marks = ", ".join(values), ", ".join(f":{name}" for name in values)
            session.execute(text(f"insert into {table} ({names}) values ({marks})"), values)
    old.close()
    with Workspace.open(settings=settings, database_url=url) as workspace:
        assert state(workspace)[2] == newest()
        with workspace.in_project("llamas").read() as session:
            assert session.scalars(select(Dataset.name)).all() == ["wool"]
            assert roles_in(session, "alice", "llamas") == ("viewer",)
        with workspace.read() as session:
            assert session.scalars(select(Dataset.name)).all() == []
