"""Jobs can be seen, followed and stopped from the command line."""

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from sfumato.actions import Act, Workspace, action
from sfumato.cli import entry
from sfumato.cli.following import Sight
from sfumato.errors import Cancelled, NotFound
from sfumato.jobs import JobView, enqueue
from sfumato.jobs.queue import ended_well, get_job

COUNTING = """
import time
from sfumato.errors import NotFound
from sfumato.jobs import Progress, job

@job("counting.up")
def count(context, spec):
    for number in range(spec["to"]):
        time.sleep(0.05)
        yield Progress(number + 1, spec["to"], "numbers", f"at {number}")
    if spec.get("fail"):
        raise NotFound("There is no number after that.", hint="Count less far.")
    return {"counted": spec["to"]}
"""


@action("counting.start", needs="job.read", doors=())
def start(act: Act, *, to: int, fail: bool = False) -> JobView:
    """Ask for counting."""
    return enqueue(act, kind="counting.up", spec={"to": to, "fail": fail}, key=f"count {to}", lane="quick")


@pytest.fixture
def studio(tmp_path, monkeypatch):
    (tmp_path / "counting_jobs.py").write_text(COUNTING)
    monkeypatch.setenv("SFUMATO_WORKSPACE", str(tmp_path / "studio"))
    monkeypatch.setenv("SFUMATO_JOB_MODULES", "counting_jobs")
    monkeypatch.setenv("PYTHONPATH", f"{tmp_path}:{Path(__file__).parents[2]}")
    with Workspace.open() as workspace:
        yield workspace


def test_an_empty_workspace_says_that_there_are_no_jobs(studio, capsys):
    assert entry.main(["jobs", "list"]) == 0
    assert capsys.readouterr().out == "No jobs yet.\n"
    assert entry.main(["jobs", "list", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == []


def test_following_a_job_does_it_and_shows_its_result(studio, capsys):
    job = start(studio, to=5)
    assert entry.main(["jobs", "show", job.id[-6:], "--follow", "--json"]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert (shown["status"], shown["result"]) == ("done", {"counted": 5})


def test_a_job_that_fails_ends_the_command_with_its_own_error(studio, capsys):
    job = start(studio, to=1, fail=True)
    assert entry.main(["jobs", "show", job.id, "--follow"]) == 3
    assert capsys.readouterr().err == "There is no number after that.\nCount less far.\n"


def test_a_waiting_job_is_cancelled_at_once(studio, capsys):
    job = start(studio, to=100)
    assert entry.main(["jobs", "cancel", job.id]) == 0
    assert capsys.readouterr().out == "It is cancelled.\n"
    assert get_job(studio, job_id=job.id).status == "cancelled"
    assert entry.main(["jobs", "cancel", job.id]) == 0


def test_an_unknown_job_is_told_with_exit_code_3(studio, capsys):
    assert entry.main(["jobs", "show", "nope"]) == 3
    assert "nope" in capsys.readouterr().err


def test_ctrl_c_in_a_pipe_leaves_the_job_running_and_says_how_to_go_on(studio):
    job = start(studio, to=60)
    command = [sys.executable, "-m", "sfumato", "jobs", "show", job.id, "--follow"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        deadline = time.monotonic() + 30
        while get_job(studio, job_id=job.id).status == "waiting" and time.monotonic() < deadline:
            time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        said = process.communicate(timeout=30)[1]
    assert process.returncode == 130
    assert f"sfumato jobs cancel {job.id[-6:]}" in said
    assert entry.main(["jobs", "show", job.id, "--follow", "--json"]) == 0


def test_a_worker_does_one_job_and_leaves(studio, capsys):
    job = start(studio, to=2)
    command = [sys.executable, "-m", "sfumato", "worker", "--job", job.id]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.stdout == "Worked off 1 job.\n"
    assert get_job(studio, job_id=job.id).status == "done"


def view(**changes: object) -> JobView:
    from datetime import UTC, datetime

    known = {"id": "1", "kind": "training.train", "status": "running", "lane": "long", "attempt": 1, "asked_by": "ada"}
    return JobView(**{**known, "asked_at": datetime.now(UTC), **changes})


def test_training_shows_its_speed_and_losses():
    sight = Sight("training.train")
    extra = {"images_per_second": 153.2, "tflops": 0.412, "loss": 0.0712, "held_out": {"t=0.1": 0.09, "t=0.5": 0.07}}
    sight.see(view(progress={"done": 6400, "total": 64000, "unit": "images", "say": "", "extra": extra}))
    assert sight.figures() == (
        "6,400/64,000 images · 153 images/s · 0.412 TFLOP/s · loss 0.0712 · time left not known yet"
    )
    sight.see(view(progress={"done": 6400, "total": 64000, "unit": "images", "extra": extra | {"seconds_left": 600.0}}))
    assert sight.figures().endswith("about 10 min left"), "as the job says itself, and as its page says"


def test_how_a_job_ended_becomes_its_own_kind_of_error():
    with pytest.raises(Cancelled):
        ended_well(view(status="cancelled"))
    with pytest.raises(NotFound, match=r"Gone\.\nLook\."):
        ended_well(view(status="failed", error={"code": 3, "message": "Gone.", "hint": "Look."}))


def test_jobs_that_wait_say_where_in_the_line(studio, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    start(studio, to=5)
    second = start(studio, to=6)
    assert entry.main(["jobs", "list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    said = next(line for line in lines if second.id[-6:] in line)
    assert "2nd in line, after “Counting up”: no worker is there to take it" in said
    assert entry.main(["jobs", "show", second.id[-6:]]) == 0
    assert "2nd in line" in capsys.readouterr().out
