"""A backup is whole or not there, is of one moment however busy others are, and says what it holds."""

import os
import signal
import subprocess
import sys
import time
import zipfile

import pytest
from sqlalchemy import text

from sfumato.care.backup import ask_backup, back_up
from sfumato.care.bundle import opened
from sfumato.care.doctor import examine
from sfumato.care.restore import restore
from sfumato.cli.entry import main
from sfumato.errors import Conflict, Damaged, Forbidden, InvalidInput, NoSpace
from sfumato.jobs.queue import handed_on
from sfumato.store import disk
from sfumato.trust.keys import anchors, workspace_keys
from tests.care.made import VISITOR, finish, sha256_of, work_off


def rows(workspace):
    with workspace.db.read() as session:
        tables = ("item", "dataset", "dataset_version", "run", "checkpoint", "model", "link", "job")
        found = {name: session.execute(text(f"select * from {name}")).all() for name in tables}
    return {name: sorted(map(repr, rows)) for name, rows in found.items()}


def test_it_holds_every_record_and_file_and_no_key(filled_either, tmp_path):
    (filled_either.path / "keys" / "secret.pem").write_text("secret")
    made = finish(back_up(filled_either, tmp_path / "a.zip"))
    assert made.path.stat().st_mode & 0o777 == 0o600
    assert (made.missing, made.with_keys) == (0, False)
    with opened(made.path) as (bundle, manifest):
        names = bundle.namelist()
        assert manifest.tables["item"] == 6
        assert manifest.stored == 11
    assert not any(name.startswith("keys/") for name in names)
    assert any(name.startswith("runs/") and name.endswith("log.jsonl") for name in names)


@pytest.mark.sqlite("it restores into a file beside it")
def test_without_keys_earlier_pictures_still_count_as_ours(filled, tmp_path):
    keys = workspace_keys(filled.path / "keys")
    finish(restore(finish(back_up(filled, tmp_path / "a.zip")).path, tmp_path / "again"))
    assert anchors(tmp_path / "again" / "keys") == keys.anchors
    assert not list((tmp_path / "again" / "keys").glob("*.key.pem"))
    assert workspace_keys(tmp_path / "again" / "keys").fingerprint != keys.fingerprint


def test_keys_go_along_only_when_asked_for_and_what_that_means_is_said(filled, tmp_path):
    (filled.path / "keys" / "secret.pem").write_text("secret")
    made = finish(back_up(filled, tmp_path / "a.zip", with_keys=True))
    assert "can sign pictures as this studio" in made.says
    with zipfile.ZipFile(made.path) as bundle:
        assert bundle.read("keys/secret.pem") == b"secret"


def test_a_missing_file_does_not_stop_it_and_is_counted(filled, pictures, tmp_path):
    sha256 = sha256_of(pictures, "red")
    filled.store.path(sha256).unlink()
    assert finish(back_up(filled, tmp_path / "a.zip")).missing == 1
    filled.store.path(sha256).write_bytes(b"other bytes")
    with pytest.raises(Damaged, match="no backup was written"):
        finish(back_up(filled, tmp_path / "b.zip"))
    assert sorted(path.name for path in tmp_path.glob("*.zip")) == ["a.zip"]


def test_nothing_is_written_over_and_nothing_goes_into_the_workspace(filled, tmp_path):
    (tmp_path / "a.zip").write_bytes(b"mine")
    with pytest.raises(Conflict):
        finish(back_up(filled, tmp_path / "a.zip"))
    for wrong in (tmp_path / "a.tar", filled.path / "a.zip"):
        with pytest.raises(InvalidInput):
            finish(back_up(filled, wrong))
    assert (tmp_path / "a.zip").read_bytes() == b"mine"


def test_it_is_refused_before_the_disk_is_full(filled, tmp_path, monkeypatch):
    monkeypatch.setattr(disk.os, "statvfs", lambda _: os.statvfs_result((4096, 4096, 9, 9, 9, 9, 9, 9, 0, 255)))
    with pytest.raises(NoSpace, match="nothing was begun"):
        finish(back_up(filled, tmp_path / "a.zip"))
    assert not list(tmp_path.glob("*.zip"))
    assert not list(tmp_path.glob(".draft-*"))


def test_stopping_it_leaves_nothing(filled, tmp_path):
    steps = back_up(filled, tmp_path / "a.zip")
    for _ in range(5):
        next(steps)
    assert list(tmp_path.glob(".draft-*"))
    steps.close()
    assert not list(tmp_path.glob("*.zip"))
    assert not list(tmp_path.glob(".draft-*"))


SLOWLY = """
import sys, time
from pathlib import Path
from sfumato.actions import Workspace
from sfumato.care.backup import back_up
with Workspace.open(create=False) as workspace:
    for number, step in enumerate(back_up(workspace, Path(sys.argv[1]))):
        if step.say == "files":
            print("amid", flush=True)
            time.sleep(60)
"""


def test_kill_9_in_its_middle_leaves_nothing_that_looks_whole(filled, tmp_path):
    command = [sys.executable, "-c", SLOWLY, str(tmp_path / "a.zip")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=handed_on(filled)) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"amid\n"
        process.send_signal(signal.SIGKILL)
    assert not list(tmp_path.glob("*.zip"))
    (left,) = tmp_path.glob(".draft-*")
    with pytest.raises(Damaged), opened(left):
        pass


BUSY = """
import sys
from pathlib import Path
from sfumato.actions import Workspace
from sfumato.data.collect import collect
from sfumato.data.freeze import freeze
from sfumato.jobs.worker import run_worker
from PIL import Image
folder = Path(sys.argv[1])
with Workspace.open(create=False) as workspace:
    for number in range(10_000):
        there = folder / str(number)
        there.mkdir()
        for other in range(5):
            Image.new("RGBA", (8, 8), (number % 256, number // 256, other, 255)).save(there / f"{other}.png")
        job = collect(workspace, source="folder", into="busy", options={"path": str(there)})
        run_worker(workspace, only_job=job.id, poll=0.01)
        freeze(workspace, name="busy")
        print(number, flush=True)
"""


def test_one_that_is_taken_while_another_process_writes_restores_to_a_sound_workspace(filled_either, tmp_path, request):
    other = None if filled_either.db.is_sqlite else request.getfixturevalue("postgresql_url")
    (tmp_path / "busy").mkdir()
    command = [sys.executable, "-c", BUSY, str(tmp_path / "busy")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=handed_on(filled_either)) as process:
        assert process.stdout is not None
        for _ in range(2):
            process.stdout.readline()
        made = finish(back_up(filled_either, tmp_path / "a.zip"))
        assert process.poll() is None, "it was to write all the while"
        process.send_signal(signal.SIGKILL)
    again = finish(restore(made.path, tmp_path / "again", database_url=other))
    assert (again.report.state, again.report.findings) == ("sound", [])
    assert again.rows > 30


def test_only_who_cares_for_the_workspace_may_take_one(filled, tmp_path):
    with pytest.raises(Forbidden):
        finish(back_up(filled.as_actor(VISITOR), tmp_path / "a.zip"))
    with pytest.raises(Forbidden):
        ask_backup(filled.as_actor(VISITOR))


def test_a_worker_can_take_one_too_and_it_is_no_part_of_the_next(filled):
    first = work_off(filled, ask_backup(filled))
    time.sleep(1.1)  # their names tell the second
    second = work_off(filled, ask_backup(filled))
    with zipfile.ZipFile(filled.path / "backups" / second["path"]) as bundle:
        assert not any(name.startswith("backups") for name in bundle.namelist())
    assert first["path"] != second["path"]
    assert finish(examine(filled)).state == "sound"


def test_the_command_says_where_it_is_and_what_it_holds(filled, tmp_path, capsys):
    assert main(["backup", str(tmp_path), "--workspace", str(filled.path)]) == 0
    said = capsys.readouterr().out
    assert "no secret keys" in said
    assert len(list(tmp_path.glob("sfumato-*.zip"))) == 1
