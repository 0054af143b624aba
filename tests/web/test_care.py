"""Care of the workspace from afar: a backup is fetched by its job, room is made, and only an owner may do either."""

import io
import itertools
import os
import threading
import zipfile
from dataclasses import replace

import pytest

from sfumato.care.backup import finished_backup
from sfumato.care.log import read_log
from sfumato.care.restore import restore
from sfumato.data.freeze import freeze
from sfumato.errors import Forbidden, NotFound
from sfumato.jobs.worker import run_worker
from sfumato.people.comments import write_comment
from tests.care.made import finish
from tests.web.stocked import stock

API = "/api/v1/care"


@pytest.fixture
def backed_up(browser, workspace):
    """A job that has written a backup."""
    answer = browser.post(f"{API}/backups", json={})
    assert answer.status_code == 200, answer.text
    run_worker(workspace, only_job=answer.json()["id"])
    return answer.json()["id"]


def test_a_backup_is_fetched_by_its_job(browser, backed_up):
    answer = browser.get(f"{API}/backups/{backed_up}/file")
    assert answer.status_code == 200, answer.text
    assert "attachment" in answer.headers["content-disposition"]
    assert "no-store" in answer.headers["cache-control"]
    with zipfile.ZipFile(io.BytesIO(answer.content)) as bundle:
        assert "manifest.json" in bundle.namelist()
    told = browser.get(f"/api/v1/jobs/{backed_up}").json()["result"]
    assert told["path"].endswith(".zip")
    assert "/" not in told["path"], "where the server keeps it is not said"


def test_one_that_was_taken_while_others_wrote_restores_to_a_sound_workspace(browser, workspace, tmp_path, monkeypatch):
    over, begun = threading.Event(), threading.Event()

    def write():
        for number in itertools.count():
            if over.wait(0.05):  # SQLite lets nobody in by turns
                return
            stock(workspace, f"busy-{number}", 3)
            version = freeze(workspace, name=f"busy-{number}")
            write_comment(workspace, about=f"dataset_version/{version.id}", text="fine")
            begun.set()

    busy = threading.Thread(target=write)
    busy.start()
    try:
        assert begun.wait(30)
        asked = browser.post(f"{API}/backups", json={}).json()["id"]
        run_worker(workspace, only_job=asked)
        assert busy.is_alive()
        taken = browser.get(f"{API}/backups/{asked}/file").content
    finally:
        over.set()
        busy.join()
    (tmp_path / "taken.zip").write_bytes(taken)
    monkeypatch.delenv("SFUMATO_DATABASE_URL", raising=False)
    again = finish(restore(tmp_path / "taken.zip", tmp_path / "again"))
    assert (again.report.state, again.report.findings) == ("sound", [])


def test_nothing_else_is_fetched_that_way(browser, workspace, backed_up):
    asked = browser.post(f"{API}/checks", json={}).json()["id"]
    run_worker(workspace, only_job=asked)
    for job in (asked, "none", "..%2f..%2fworkspace.db"):
        assert browser.get(f"{API}/backups/{job}/file").status_code == 404, job
    for path in (workspace.path / "backups").iterdir():
        path.unlink()
    assert browser.get(f"{API}/backups/{backed_up}/file").status_code == 404
    with pytest.raises(NotFound, match="no backup"):
        finished_backup(workspace, job=backed_up)


def test_an_admin_of_a_project_who_owns_nothing_may_not(workspace, backed_up):
    admin = replace(workspace.actor, scopes=frozenset({"record.read"}))
    for verb in (lambda seen: finished_backup(seen, job=backed_up), read_log):
        with pytest.raises(Forbidden):
            verb(workspace.as_actor(admin))


@pytest.mark.parametrize(("what", "name"), [("caches", "cache/thumbs/a.webp"), ("old", "logs/old.log")])
def test_room_is_made_only_when_it_is_really_meant(browser, workspace, what, name):
    path = workspace.path / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"x" * 1000)
    os.utime(path, (0, 0))
    shown = browser.post(f"{API}/clearings", json={"what": what}).json()
    assert (shown["done"], path.exists()) == (False, True)
    assert name in [one["what"] for one in shown["things"]]
    assert {one["path"] for one in shown["things"]} == {""}
    done = browser.post(f"{API}/clearings", json={"what": what, "really": True}).json()
    assert (done["done"], path.exists()) == (True, False)
    assert browser.post(f"{API}/clearings", json={"what": "everything"}).status_code == 422


@pytest.mark.parametrize("said", [1, 1.0, "true", "yes", None])
def test_nothing_but_true_is_meant_by_it(browser, workspace, said):
    path = workspace.path / "logs/old.log"
    path.write_bytes(b"x" * 1000)
    os.utime(path, (0, 0))
    answer = browser.post(f"{API}/clearings", json={"what": "old", "really": said})
    assert (answer.status_code, path.exists()) == (422, True)
    assert "really" in answer.text
