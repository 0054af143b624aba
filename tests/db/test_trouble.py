"""A database that is locked, damaged, foreign, too new, or without room is told in words, and nothing is lost."""

import shutil
import sqlite3
import subprocess
import sys
import time
from contextlib import closing

import pytest
from sqlalchemy import text

from sfumato.actions import Workspace
from sfumato.db import Link, open_database
from sfumato.errors import Busy, Conflict, Damaged, InvalidInput, NoSpace, SfumatoError, Unsupported
from sfumato.jobs.queue import handed_on

HOLD = """
import sqlite3, sys
held = sqlite3.connect(sys.argv[1], isolation_level=None)
held.execute("begin immediate")
print("held", flush=True)
sys.stdin.readline()
"""
FILL = """
import resource, sys
from sfumato.actions import Workspace
from sfumato.db import Link
from sfumato.errors import NoSpace
with Workspace.open(create=False) as workspace:
    size = (workspace.path / "workspace.db-wal").stat().st_size + 100_000
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))
    written = 0
    try:
        for number in range(10_000):
            with workspace.db.write() as session:
                session.add(Link(child=str(number), parent="x" * 100, role="first"))
                session.flush()
                session.add(Link(child=str(number), parent="x" * 100, role="second"))
            written += 1
    except NoSpace as problem:
        print(written, problem.message)
"""


def fill(workspace, count=2_000):
    with workspace.db.write() as session:
        session.add_all(Link(child=str(number), parent="p" * 100, role="r") for number in range(count))


def count(workspace):
    with workspace.db.read() as session:
        return session.execute(text("select count(*) from link")).scalar()


def refused(settings, kind):
    """What opening says; the file is byte for byte as before."""
    file = settings.workspace / "workspace.db"
    before = file.read_bytes()
    with pytest.raises(kind) as told:
        Workspace.open(settings=settings)
    assert file.read_bytes() == before
    return told.value


@pytest.fixture
def closed(settings):
    """The folder of a workspace that holds something and that nobody has open."""
    with Workspace.open(settings=settings) as workspace:
        fill(workspace)
    return settings.workspace


def test_a_database_that_another_process_holds_is_told_after_a_while_and_can_be_read(settings):
    with Workspace.open(settings=settings.model_copy(update={"busy_milliseconds": 200})) as workspace:
        command = [sys.executable, "-c", HOLD, str(workspace.path / "workspace.db")]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
            assert holder.stdout.readline() == "held\n"
            began = time.monotonic()
            with pytest.raises(Busy, match="held by another process; nothing was changed"):
                fill(workspace)
            assert 0.15 < time.monotonic() - began < 10
            assert count(workspace) == 0
            with Workspace.open(settings=settings) as again:
                assert count(again) == 0
            holder.communicate("go\n", timeout=30)
        fill(workspace, 3)
        assert count(workspace) == 3


def test_a_database_of_other_bytes_says_what_to_do_and_a_copy_put_in_its_place_opens(closed, settings):
    kept = closed / "copies" / "workspace-1.db"
    shutil.copyfile(closed / "workspace.db", kept)
    (closed / "workspace.db").write_bytes(b"these are no records" * 1000)
    said = refused(settings, Damaged)
    assert "nothing was changed" in said.message
    assert "'copies'" in said.hint
    shutil.copyfile(kept, closed / "workspace.db")
    with Workspace.open(settings=settings) as workspace:
        assert count(workspace) == 2_000


def test_a_database_that_was_cut_short_is_told(closed, settings):
    with (closed / "workspace.db").open("r+b") as stream:
        stream.truncate((closed / "workspace.db").stat().st_size // 2)
    refused(settings, Damaged)


def test_a_database_cut_to_nothing_beside_files_is_not_taken_for_a_new_workspace(closed, settings):
    with Workspace.open(settings=settings) as workspace:
        workspace.store.put(b"a picture")
    (closed / "workspace.db").write_bytes(b"")
    refused(settings, Damaged)


def test_damage_that_shows_only_later_is_told_then(closed, settings):
    with Workspace.open(settings=settings) as workspace:
        assert count(workspace) == 2_000
    data = bytearray((closed / "workspace.db").read_bytes())
    with closing(sqlite3.connect(closed / "workspace.db")) as file:
        page = file.execute("select rootpage from sqlite_master where name = 'link'").fetchone()[0]
        size = file.execute("pragma page_size").fetchone()[0]
    data[(page - 1) * size : page * size] = b"\xff" * size
    (closed / "workspace.db").write_bytes(data)
    with Workspace.open(settings=settings) as workspace, pytest.raises(Damaged):
        fill(workspace)


def test_a_workspace_of_a_newer_format_is_refused_in_words(closed, settings):
    with closing(sqlite3.connect(closed / "workspace.db")) as file, file:
        file.execute("update workspace_info set value = '99' where key = 'format'")
    said = refused(settings, Unsupported)
    assert "format 99" in said.message
    assert "newer Sfumato" in said.hint


def test_a_workspace_of_a_newer_revision_is_refused_in_words(closed, settings):
    with closing(sqlite3.connect(closed / "workspace.db")) as file, file:
        file.execute("update alembic_version set version_num = '9998'")
    assert "9998" in refused(settings, Unsupported).message
    assert list((closed / "copies").iterdir()) == []


def test_another_programs_database_is_refused_and_left_as_it_is(settings):
    settings.workspace.mkdir()
    with closing(sqlite3.connect(settings.workspace / "workspace.db")) as file:
        file.execute("create table songs (title text)")
    refused(settings, Conflict)
    assert [path.name for path in settings.workspace.iterdir()] == ["workspace.db"]


@pytest.mark.postgres
def test_another_programs_database_on_postgresql_is_refused(settings, postgresql_url):
    other = open_database(postgresql_url)
    with other.engine.begin() as connection:
        connection.execute(text("create table songs (title text)"))
    with pytest.raises(Conflict):
        Workspace.open(settings=settings, database_url=postgresql_url)
    with other.engine.begin() as connection:
        assert connection.execute(text("select tablename from pg_tables where schemaname = 'public'")).all() == [
            ("songs",)
        ]
    other.close()


@pytest.mark.sqlite("its file is kept from growing by a limit of the process; PostgreSQL writes in another one")
def test_without_room_nothing_is_half_written_and_the_workspace_opens_afterwards(workspace, settings):
    done = subprocess.run([sys.executable, "-c", FILL], env=handed_on(workspace), capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    written, said = done.stdout.split(" ", 1)
    assert "The disk is full; nothing was changed." in said
    assert 0 < int(written) < 10_000
    workspace.close()
    with Workspace.open(settings=settings) as again:
        assert count(again) == 2 * int(written)
        fill(again, 10)
        with again.db.read() as session:
            assert session.execute(text("pragma integrity_check")).scalar() == "ok"


def test_a_workspace_cannot_be_made_without_room_and_can_be_once_there_is_some(settings):
    code = """
import resource
from sfumato.actions import Workspace
from sfumato.errors import NoSpace
resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
try:
    Workspace.open()
except NoSpace as problem:
    print(problem.message)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert "The disk is full" in done.stdout, done.stderr
    with Workspace.open(settings=settings) as workspace:
        assert count(workspace) == 0


@pytest.mark.sqlite("its file is kept from growing by a pragma")
def test_a_database_that_may_grow_no_more_is_told_as_a_full_disk(workspace):
    with workspace.db.write() as session:
        pages = session.execute(text("pragma page_count")).scalar()
        session.execute(text(f"pragma max_page_count = {pages + 2}"))
    with pytest.raises(NoSpace):
        fill(workspace)
    assert count(workspace) == 0


@pytest.mark.postgres
def test_a_server_that_does_not_answer_is_told_without_the_password(settings, tmp_path):
    with pytest.raises(Busy, match="does not answer") as told:
        Workspace.open(settings=settings, database_url=f"postgresql://alice:secret@/mine?host={tmp_path}")
    assert "secret" not in str(told.value)


@pytest.mark.parametrize("url", ["mysql://host/db", "postgresql://host:port/db", "://"])
def test_an_address_that_cannot_be_used_is_told(settings, url):
    with pytest.raises(InvalidInput) as told:
        Workspace.open(settings=settings, database_url=url)
    assert "postgresql://" in told.value.hint


def test_what_is_no_trouble_of_the_database_is_not_called_so(workspace):
    from sqlalchemy.exc import IntegrityError

    with pytest.raises(IntegrityError), workspace.db.write() as session:
        session.execute(text("insert into link (child, parent, role) values ('locked', 'busy', null)"))


def test_a_folder_in_the_way_of_a_file_is_told(settings):
    settings.workspace.mkdir()
    (settings.workspace / "workspace.db").mkdir()
    with pytest.raises(SfumatoError, match="cannot be read or written"):
        Workspace.open(settings=settings)
