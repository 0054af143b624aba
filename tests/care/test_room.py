"""Nothing long begins on a disk that is nearly full: it is refused in words before anything was changed."""

import os
import subprocess
import sys

import pytest

from sfumato.data.collect import collect
from sfumato.data.freeze import list_versions
from sfumato.errors import NoSpace
from sfumato.generation.create import create
from sfumato.jobs.queue import get_job, list_jobs
from sfumato.jobs.worker import run_worker
from sfumato.store import disk
from sfumato.training.runs import train
from tests.care.made import work_off


@pytest.fixture
def full(monkeypatch):
    """A function that lets the disk look nearly full from now on."""

    def begin():
        few = os.statvfs_result((4096, 4096, 1000, 1000, 1000, 9, 9, 9, 0, 255))
        monkeypatch.setattr(disk.os, "statvfs", lambda _: few)

    return begin


def test_collecting_training_and_creating_are_refused_before_they_begin(filled, pictures, full):
    jobs = len(list_jobs(filled))
    full()
    with pytest.raises(NoSpace, match=r"4\.1 MB are free"):
        collect(filled, source="folder", into="more", options={"path": str(pictures)})
    with pytest.raises(NoSpace):
        train(filled, recipe_name="flow", data="mine", name="more")
    assert len(list_jobs(filled)) == jobs
    assert len(list_versions(filled, name="mine")) == 1


def test_creating_is_refused_and_writes_no_request(pictured, tmp_path, full):
    full()
    with pytest.raises(NoSpace, match="nothing was begun"):
        create(pictured, prompt="a red disc", out=tmp_path / "out", options={"n": 1, "steps": 1})
    assert list_jobs(pictured) == []


def test_a_job_that_waited_is_refused_when_it_begins(workspace, pictures, full):
    job = collect(workspace, source="folder", into="mine", options={"path": str(pictures)})
    full()
    run_worker(workspace, only_job=job.id, poll=0.01)
    failed = get_job(workspace, job_id=job.id)
    assert (failed.status, failed.error["code"]) == ("failed", NoSpace.code)
    assert "SFUMATO_FREE_MB" in failed.error["hint"]


def test_the_setting_says_how_much_stays_free(workspace, pictures, full):
    from dataclasses import replace

    full()
    small = replace(workspace, settings=workspace.settings.model_copy(update={"free_mb": 1}))
    work_off(small, collect(small, source="folder", into="mine", options={"path": str(pictures)}))


TRY = """
import sys
from sfumato.actions import Workspace
from sfumato.data.collect import collect
from sfumato.errors import NoSpace
with Workspace.open(sys.argv[1]) as workspace:
    try:
        collect(workspace, source="folder", into="mine", options={"path": sys.argv[2]})
    except NoSpace as problem:
        print(problem.message)
"""
MOUNT = 'mount -t tmpfs -o size=20m none "$1" && exec "$2" -c "$3" "$1/studio" "$4"'


def test_a_disk_that_really_is_small_is_noticed(tmp_path, pictures, settings):
    place = tmp_path / "small"
    place.mkdir()
    mount = ["unshare", "--mount", "sh", "-c", MOUNT, "sh", str(place), sys.executable, TRY, str(pictures)]
    done = subprocess.run(
        mount, capture_output=True, text=True, env=os.environ | {"PYTHONPATH": os.environ["PYTHONPATH"]}
    )
    if "unshare" in done.stderr or "mount:" in done.stderr or "permission" in done.stderr.lower():
        pytest.skip(f"the operating system lets nobody mount a small disk: {done.stderr.strip().splitlines()[-1]}")
    assert "There is too little room" in done.stdout, done.stderr


def test_what_makes_room_may_begin_on_a_full_disk(filled, full):
    from sfumato.care.clearing import tidy
    from sfumato.care.doctor import ask_doctor

    full()
    tidy(filled, really=True)
    assert work_off(filled, ask_doctor(filled))["state"] == "trouble"
