"""The doctor finds what is wrong, says how bad it is, mends what is safe, and changes nothing unless asked to."""

import json
import os
import sqlite3
from contextlib import closing
from datetime import timedelta

import pytest
from sqlalchemy import text

from sfumato.actions import Workspace
from sfumato.care.doctor import ask_doctor, examine
from sfumato.cli.entry import main
from sfumato.db import DEFAULT_PROJECT, now
from sfumato.errors import Forbidden, Unsupported
from sfumato.jobs.records import Job
from sfumato.store import disk
from tests.care.made import VISITOR, add_run, age, collect_into, finish, sha256_of, tree, work_off


def look(workspace, **how):
    return finish(examine(workspace, **how))


def found(report, check):
    return [one for one in report.findings if one.check == check]


def change(workspace, statement, **values):
    with workspace.db.write() as session:
        session.execute(text(statement), values)


def test_a_workspace_in_use_is_sound_and_looking_changes_nothing(filled_either):
    before = tree(filled_either.path)
    report = look(filled_either, deep=True)
    assert (report.state, report.code, report.findings) == ("sound", 0, [])
    assert report.looked_at["files"] >= 11
    assert tree(filled_either.path) == before


def test_mending_a_sound_workspace_changes_nothing_either(filled_either):
    before = tree(filled_either.path)
    assert look(filled_either, mend=True).state == "sound"
    assert tree(filled_either.path) == before


def test_a_file_that_a_record_names_and_that_is_gone_is_damage(filled_either, pictures):
    filled_either.store.path(sha256_of(pictures, "red")).unlink()
    report = look(filled_either)
    assert (report.state, report.code) == ("damage", 11)
    (gone,) = found(report, "files")
    assert "1 dataset pictures" in gone.what
    assert "red" in gone.what
    assert "backup" in gone.todo


def test_changed_bytes_are_found_by_a_deep_look_set_aside_and_had_again_from_their_source(filled, pictures):
    sha256 = sha256_of(pictures, "red")
    filled.store.path(sha256).write_bytes(b"not a picture any more")
    assert look(filled).state == "sound"
    assert look(filled, deep=True).state == "damage"
    mended = look(filled, deep=True, mend=True)
    assert (mended.state, [one.mended for one in found(mended, "files")]) == ("damage", [True, False])
    assert (filled.path / "store" / "damaged" / sha256).read_bytes() == b"not a picture any more"
    collect_into(filled, pictures)
    assert look(filled, deep=True).state == "sound"


def test_an_empty_file_is_found_at_once(filled, pictures):
    filled.store.path(sha256_of(pictures, "red")).write_bytes(b"")
    assert "is empty" in found(look(filled), "files")[0].what


def test_what_no_record_names_goes_after_a_day_and_not_before(filled):
    young, old = filled.store.put(b"a picture whose row comes soon"), filled.store.put(b"nobody's")
    age(filled.store.path(old))
    report = look(filled)
    assert report.state == "trouble"
    assert filled.store.has(old)
    assert [one.level for one in found(report, "orphans")] == ["note", "trouble"]
    assert look(filled, mend=True).state == "sound"
    assert filled.store.has(young)
    assert not filled.store.has(old)


def test_bytes_that_only_a_frozen_version_names_are_nobodys_orphans(filled, pictures):
    sha256 = sha256_of(pictures, "red")
    change(filled, "update item set sha256 = (select max(sha256) from item) where sha256 = :old", old=sha256)
    age(filled.store.path(sha256))
    look(filled, mend=True)
    assert filled.store.has(sha256)


def test_half_written_files_go_after_a_day(filled):
    root = filled.path
    left = [
        root / "store/incoming/.draft-abc",
        root / "tmp/upload",
        root / "cache/.draft-x",
        root / "copies/w.12.draft",
    ]
    for path in left:
        path.write_bytes(b"half")
    assert found(look(filled, mend=True), "drafts") == []
    for path in left[:-1]:
        age(path)
    assert "3 half-written" in found(look(filled), "drafts")[0].what
    assert look(filled, mend=True).state == "sound"
    assert [path.exists() for path in left] == [False, False, False, True]


@pytest.mark.parametrize(("late", "status"), [(300, "waiting"), (-300, "running")])
def test_a_job_waits_again_only_when_its_lease_is_long_dead(filled_either, late, status):
    moment = now() - timedelta(seconds=late)
    with filled_either.db.write() as session:
        session.add(Job(project_id=DEFAULT_PROJECT, kind="data.collect", spec={}, key="k", lane="long",
                        status="running", worker="gone", lease_until=moment))  # fmt: skip
    assert bool(found(look(filled_either), "jobs")) == (status == "waiting")
    assert look(filled_either, mend=True).state == "sound"
    with filled_either.db.read() as session:
        assert session.scalar(text("select status from job where key = 'k'")) == status


def test_a_run_whose_job_is_gone_can_be_resumed_again(filled_either):
    change(filled_either, "update run set job_id = 'gone'")
    assert "tiny" in found(look(filled_either), "runs")[0].what
    assert look(filled_either, mend=True).state == "sound"


def test_keys_that_others_may_read_are_closed(filled):
    secret = filled.path / "keys" / "secret.pem"
    secret.write_text("secret")
    secret.chmod(0o644)
    (filled.path / "keys").chmod(0o755)
    assert look(filled).state == "damage"
    assert look(filled, mend=True).state == "sound"
    assert (secret.stat().st_mode & 0o777, secret.parent.stat().st_mode & 0o777) == (0o600, 0o700)


def test_a_checkpoint_that_cannot_be_read_is_damage(filled):
    marks = add_run(filled, "other", (1, 2))
    filled.store.path(marks[1]).write_bytes(b"\x10" + bytes(7) + b"no header at all")
    assert "checkpoint" in found(look(filled), "checkpoints")[0].what


def test_gaps_in_the_log_of_events_are_damage_and_its_counter_is_mended(filled_either):
    change(filled_either, "update workspace_info set value = '1' where key = 'events'")
    assert look(filled_either).state == "trouble"
    assert look(filled_either, mend=True).state == "sound"
    change(filled_either, "delete from event where position = 2")
    assert "gaps" in found(look(filled_either), "events")[0].what
    assert look(filled_either, mend=True).state == "damage"


@pytest.mark.sqlite("it changes the file of the database")
def test_links_and_names_that_lead_nowhere_are_told(filled):
    change(filled, "insert into link (child, parent, role) values ('item/none', 'run/none', 'x')")
    report = look(filled)
    assert report.state == "trouble"
    assert "item/none" in found(report, "links")[0].what
    change(filled, "delete from link where child = 'item/none'")
    with closing(sqlite3.connect(filled.path / "workspace.db")) as database:
        database.execute("delete from dataset")
        database.commit()
    assert any("dataset that is not there" in one.what for one in found(look(filled), "references"))


def test_too_little_room_is_told(filled, monkeypatch):
    monkeypatch.setattr(disk.os, "statvfs", lambda _: os.statvfs_result((4096, 4096, 100, 100, 100, 9, 9, 9, 0, 255)))
    assert "too little room" in found(look(filled), "room")[0].what


def test_a_network_share_is_refused_for_sqlite_alone(tmp_path, monkeypatch, request):
    mounts = tmp_path / "mounts"
    mounts.write_text(f"/dev/vda / ext4 rw 0 0\nserver:/x {str(tmp_path).replace(' ', chr(92) + '040')} nfs4 rw 0 0\n")
    monkeypatch.setattr(disk, "MOUNTS", mounts)
    with pytest.raises(Unsupported, match="network share"):
        Workspace.open(tmp_path / "studio")
    assert not (tmp_path / "studio").exists()
    mounts.write_text("/dev/vda / ext4 rw 0 0\n")
    with Workspace.open(tmp_path / "studio") as workspace:
        mounts.write_text(f"server:/x {tmp_path} cifs rw 0 0\n")
        assert look(workspace).state == "damage"


def test_what_was_mended_is_in_the_log(filled):
    age(filled.store.path(filled.store.put(b"nobody's")))
    look(filled, mend=True)
    with filled.db.read() as session:
        said = session.execute(text("select summary, details from event where action = 'care.mend'")).one()
    assert "belong to no record" in str(said)


def test_only_who_cares_for_the_workspace_may_examine_it(filled):
    with pytest.raises(Forbidden, match=r"workspace\.care"):
        look(filled.as_actor(VISITOR))
    with pytest.raises(Forbidden):
        ask_doctor(filled.as_actor(VISITOR))


def test_a_worker_can_examine_too(filled):
    filled.store.path(filled.store.put(b"young"))
    result = work_off(filled, ask_doctor(filled, deep=True))
    assert (result["state"], [one["level"] for one in result["findings"]]) == ("sound", ["note"])


def test_the_command_says_it_in_words_and_by_its_exit_code(filled, pictures, capsys):
    assert main(["doctor", "--workspace", str(filled.path)]) == 0
    assert "Sound." in capsys.readouterr().out
    filled.store.path(sha256_of(pictures, "red")).unlink()
    assert main(["doctor", "--workspace", str(filled.path), "--json"]) == 11
    assert json.loads(capsys.readouterr().out)["state"] == "damage"


@pytest.mark.sqlite("it changes the file of the database")
def test_a_database_that_is_none_any_more_is_told_and_not_changed(filled, capsys):
    filled.close()
    file = filled.path / "workspace.db"
    file.write_bytes(b"no database" * 1000)
    assert main(["doctor", "--workspace", str(filled.path)]) == 11
    assert "damaged" in capsys.readouterr().out
    assert file.read_bytes() == b"no database" * 1000


@pytest.mark.sqlite("it changes the file of the database")
def test_an_older_schema_is_told_before_anything_upgrades_it(filled, capsys):
    filled.close()
    with closing(sqlite3.connect(filled.path / "workspace.db")) as database:
        database.execute("update alembic_version set version_num = '0001'")
        database.commit()
    assert main(["doctor", "--workspace", str(filled.path)]) == 10
    assert "revision 0001" in capsys.readouterr().out
    with closing(sqlite3.connect(filled.path / "workspace.db")) as database:
        assert database.execute("select version_num from alembic_version").fetchone() == ("0001",)


def test_a_folder_without_a_workspace_is_not_made_into_one(tmp_path, capsys):
    assert main(["doctor", "--workspace", str(tmp_path / "none")]) == 3
    assert not (tmp_path / "none").exists()
