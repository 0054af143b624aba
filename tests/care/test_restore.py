"""A backup becomes a workspace again: all of it, on either database, and never by halves."""

import json
import os
import shutil
import signal
import stat
import subprocess
import sys
import zipfile

import pytest
from sqlalchemy import text

from sfumato.actions import Workspace
from sfumato.actions.events import last_position
from sfumato.care.backup import back_up, write_bundle
from sfumato.care.doctor import examine
from sfumato.care.restore import restore
from sfumato.cli.entry import main
from sfumato.data.versions import open_version
from sfumato.db import open_database
from sfumato.db.schema import upgrade
from sfumato.errors import Conflict, Damaged, Gone, InvalidInput, NoSpace, Unsupported
from sfumato.jobs.queue import handed_on
from sfumato.store.files import Erasure
from tests.care.made import finish, tree
from tests.care.test_backup import rows

pytestmark = pytest.mark.whole


@pytest.fixture(autouse=True)
def at_home(request, monkeypatch):
    """What is restored here goes into its folder, on whichever database the first workspace is."""
    if "filled" in request.fixturenames:
        request.getfixturevalue("filled")
    monkeypatch.delenv("SFUMATO_DATABASE_URL", raising=False)


@pytest.fixture
def backup(filled, tmp_path):
    (filled.path / "keys" / "secret.pem").write_text("secret")
    return finish(back_up(filled, tmp_path / "a.zip", with_keys=True)).path


def changed(backup, tmp_path, change):
    """The same backup with members changed: `change` gets name and bytes, and gives bytes, or None to leave it out."""
    target = tmp_path / "changed.zip"
    with zipfile.ZipFile(backup) as old, zipfile.ZipFile(target, "w") as new:
        for name in old.namelist():
            data = change(name, old.read(name))
            if data is not None:
                new.writestr(name, data)
    return target


@pytest.mark.sqlite("it restores into a file beside it, which has other types")
def test_everything_is_there_again(filled, backup, tmp_path):
    made = finish(restore(backup, tmp_path / "again"))
    assert (made.report.state, made.report.findings) == ("sound", [])
    with Workspace.open(tmp_path / "again") as again:
        assert rows(again) == rows(filled)
        assert open_version(again, "mine").decode(16)[0].shape == (6, 16, 16, 4)
    whole, copied = tree(filled.path), tree(tmp_path / "again")
    kept = {name: found for name, found in whole.items() if name.startswith(("store/", "runs/", "keys/"))}
    assert {name: found for name, found in copied.items() if name in kept} == kept
    assert stat.S_IMODE((tmp_path / "again/keys/secret.pem").stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "again/keys").stat().st_mode) == 0o700


@pytest.mark.postgres
@pytest.mark.sqlite("it goes from a file to the other database and back")
def test_it_restores_onto_the_other_database_and_back(filled, backup, tmp_path, postgresql_url):
    made = finish(restore(backup, tmp_path / "team", database_url=postgresql_url))
    assert made.report.state == "sound"
    with Workspace.open(tmp_path / "team", database_url=postgresql_url) as team:
        again = finish(back_up(team, tmp_path / "b.zip")).path
    finish(restore(again, tmp_path / "home"))
    with Workspace.open(tmp_path / "home") as home:
        assert rows(home) == rows(filled)
    with pytest.raises(Conflict, match="database is not empty"):
        finish(restore(backup, tmp_path / "second", database_url=postgresql_url))
    assert not (tmp_path / "second").exists()


@pytest.mark.postgres
def test_a_database_in_use_is_left_alone_also_where_only_the_environment_names_it(on_postgresql, tmp_path, monkeypatch):
    team = next(on_postgresql)
    made = finish(back_up(team, tmp_path / "a.zip"))
    monkeypatch.setenv("SFUMATO_DATABASE_URL", team.db.url)
    before = last_position(team)
    with pytest.raises(Conflict, match="database is not empty"):
        finish(restore(made.path, tmp_path / "again"))
    assert last_position(team) == before
    assert not (tmp_path / "again").exists()


def test_a_folder_that_holds_something_is_left_alone(backup, tmp_path):
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine.txt").write_text("mine")
    with pytest.raises(Conflict, match="not empty"):
        finish(restore(backup, tmp_path / "full"))
    assert os.listdir(tmp_path / "full") == ["mine.txt"]
    (tmp_path / "empty").mkdir()
    assert finish(restore(backup, tmp_path / "empty")).report.state == "sound"


@pytest.mark.parametrize("which", ["store/", "tables/item", "runs/", "keys/"])
def test_a_changed_byte_is_found_and_nothing_is_restored(backup, tmp_path, which):
    done = []

    def change(name, data):
        if name.startswith(which) and not done:
            done.append(name)
            return data[:-2] + b"!" + data[-1:]
        return data

    with pytest.raises(Damaged):
        finish(restore(changed(backup, tmp_path, change), tmp_path / "again"))
    assert done
    assert not (tmp_path / "again").exists()
    assert not list(tmp_path.glob(".restoring-*"))


@pytest.mark.parametrize("which", ["store/", "tables/item", "runs/"])
def test_a_member_that_is_left_out_is_missed(backup, tmp_path, which):
    less = changed(backup, tmp_path, lambda name, data: None if name.startswith(which) else data)
    with pytest.raises(Damaged):
        finish(restore(less, tmp_path / "again"))
    assert not (tmp_path / "again").exists()


def test_what_is_cut_short_or_no_backup_is_told(backup, tmp_path):
    short, other = tmp_path / "short.zip", tmp_path / "other.zip"
    short.write_bytes(backup.read_bytes()[:-300])
    with zipfile.ZipFile(other, "w") as bundle:
        bundle.writestr("hello.txt", "hello")
    with pytest.raises(Damaged, match="not a whole backup"):
        finish(restore(short, tmp_path / "again"))
    for none in (other, tmp_path / "none.zip"):
        with pytest.raises(InvalidInput):
            finish(restore(none, tmp_path / "again"))


@pytest.mark.parametrize(
    "name", ["../escape", "/etc/escape", "store/../../escape", "a\\..\\escape", "C:/escape", "a//b"]
)
def test_no_name_leads_out_of_the_folder(backup, tmp_path, name):
    target = tmp_path / "slip.zip"
    shutil.copyfile(backup, target)
    with zipfile.ZipFile(target, "a") as bundle:
        bundle.writestr(name, b"out")
    with pytest.raises((InvalidInput, Damaged)):
        finish(restore(target, tmp_path / "deep" / "again"))
    assert not list(tmp_path.rglob("escape"))


def test_a_link_within_is_refused(backup, tmp_path):
    target = tmp_path / "link.zip"
    shutil.copyfile(backup, target)
    entry = zipfile.ZipInfo("runs/link")
    entry.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(target, "a") as bundle:
        bundle.writestr(entry, "/etc/passwd")
    with pytest.raises(InvalidInput):
        finish(restore(target, tmp_path / "again"))


def test_a_newer_one_is_refused_in_words(backup, tmp_path):
    def newer(**told):
        def change(name, data):
            return json.dumps({**json.loads(data), **told}).encode() if name == "manifest.json" else data

        return changed(backup, tmp_path, change)

    with pytest.raises(Unsupported, match="format 99"):
        finish(restore(newer(format=99), tmp_path / "again"))
    with pytest.raises(Unsupported, match="schema 9999"):
        finish(restore(newer(revision="9999"), tmp_path / "again"))
    assert not (tmp_path / "again").exists()


def test_an_older_one_is_upgraded(settings, tmp_path):
    """A database as the first release left it, backed up by what can read it, comes up to the newest schema."""
    old = Workspace.open(tmp_path / "old")
    old.close()
    (old.path / "workspace.db").unlink()
    database = open_database(old.path / "workspace.db")
    with database.engine.begin() as connection:
        upgrade(connection, to="0002")
        facts = "insert into workspace_info (key, value) values ('format', '1'), ('events', '0')"
        connection.execute(text(facts))
        columns = "(id, made_at, made_by, name)"
        connection.execute(
            text(f"insert into dataset {columns} values ('d1', '2026-01-02 03:04:05.000000', '', 'old')")
        )
    before = Workspace(old.path, database, old.store, settings, old.actor)
    with (tmp_path / "old.zip").open("wb") as stream:
        finish(write_bundle(before, stream, 0))
    database.close()
    made = finish(restore(tmp_path / "old.zip", tmp_path / "again"))
    assert made.report.state == "sound"
    with Workspace.open(tmp_path / "again") as again, again.db.read() as session:
        assert session.scalar(text("select name from dataset")) == "old"


def test_running_jobs_of_the_original_wait_in_the_copy(filled, tmp_path):
    with filled.db.write() as session:
        session.execute(
            text("update job set status = 'running', worker = 'there', lease_until = '2999-01-01 00:00:00'")
        )
    made = finish(back_up(filled, tmp_path / "a.zip"))
    finish(restore(made.path, tmp_path / "again"))
    with Workspace.open(tmp_path / "again") as again, again.db.read() as session:
        assert session.execute(text("select distinct status, worker from job")).all() == [("waiting", None)]


def test_what_was_erased_stays_erased(filled, tmp_path):
    filled.store.erase(Erasure("ab" * 32, "a test", "person/x", "2026-11-24"))
    made = finish(back_up(filled, tmp_path / "a.zip"))
    finish(restore(made.path, tmp_path / "again"))
    with Workspace.open(tmp_path / "again") as again, pytest.raises(Gone, match="a test"):
        again.store.get("ab" * 32)


def test_it_is_refused_before_the_disk_is_full(backup, tmp_path, settings):
    with pytest.raises(NoSpace, match="nothing was begun"):
        finish(restore(backup, tmp_path / "again", settings=settings.model_copy(update={"free_mb": 10**9})))
    assert not (tmp_path / "again").exists()
    assert not list(tmp_path.glob(".restoring-*"))


SLOWLY = """
import sys, time
from pathlib import Path
from sfumato.care.restore import restore
for step in restore(Path(sys.argv[1]), Path(sys.argv[2])):
    if step.say.startswith("records"):
        print("amid", flush=True)
        time.sleep(60)
"""


@pytest.mark.sqlite("it restores into a file beside it")
def test_kill_9_in_its_middle_leaves_no_workspace(filled, backup, tmp_path):
    command = [sys.executable, "-c", SLOWLY, str(backup), str(tmp_path / "again")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=handed_on(filled)) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"amid\n"
        process.send_signal(signal.SIGKILL)
    assert not (tmp_path / "again").exists()
    assert finish(restore(backup, tmp_path / "again")).report.state == "sound"


def test_a_restored_workspace_goes_on(backup, tmp_path, pictures):
    from tests.care.made import collect_into

    finish(restore(backup, tmp_path / "again"))
    with Workspace.open(tmp_path / "again") as again:
        assert collect_into(again, pictures, "second").n == 6
        assert finish(examine(again, deep=True)).state == "sound"


def test_the_command_restores_and_says_how_it_is(backup, tmp_path, capsys):
    assert main(["restore", str(backup), str(tmp_path / "again")]) == 0
    said = capsys.readouterr().out
    assert "Restored" in said
    assert "Sound." in said
    assert main(["restore", str(backup), str(tmp_path / "again")]) == 5
