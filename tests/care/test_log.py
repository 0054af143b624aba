"""What workers did is in the log, and the id that an error shows finds the line that says where it arose."""

import json

import pytest

from sfumato.care.log import read_log
from sfumato.cli.entry import main
from sfumato.errors import Forbidden, NotFound
from sfumato.jobs.queue import get_job
from sfumato.jobs.worker import run_worker
from tests.care.made import VISITOR
from tests.jobs.counting_work import start


@pytest.fixture(autouse=True)
def kinds(settings, monkeypatch):
    """Let workers find the kinds of job of these tests."""
    monkeypatch.setenv("SFUMATO_JOB_MODULES", "tests.jobs.counting_work")


def test_starts_and_ends_of_jobs_are_written_down_with_who_asked(workspace):
    job = start(workspace, key="good", to=1)
    run_worker(workspace, only_job=job.id, poll=0.01)
    lines = [line for line in read_log(workspace) if line.get("job") == job.id]
    assert [line["event"] for line in lines] == ["job.started", "job.ended"]
    assert lines[1]["status"] == "done"
    assert lines[0]["person"] == workspace.actor.id


def test_the_id_of_a_failure_finds_its_line(workspace, capsys):
    job = start(workspace, key="broken", kind="counting.failing", how="bug")
    run_worker(workspace, only_job=job.id, poll=0.01)
    error = get_job(workspace, job_id=job.id).error
    assert error["id"] in error["hint"]
    (line,) = read_log(workspace, error=error["id"])
    assert line["job"] == job.id
    assert "KeyError" in line["traceback"]
    assert main(["logs", error["id"], "--workspace", str(workspace.path)]) == 0
    assert "Traceback" in capsys.readouterr().out


def test_an_id_that_is_not_there_is_told_and_others_may_not_look(workspace):
    with pytest.raises(NotFound, match="nosuchid"):
        read_log(workspace, error="nosuchid")
    with pytest.raises(Forbidden):
        read_log(workspace.as_actor(VISITOR))


def test_the_command_gives_the_last_lines_as_json(workspace, capsys):
    job = start(workspace, key="good", to=1)
    run_worker(workspace, only_job=job.id, poll=0.01)
    assert main(["logs", "--last", "1", "--json", "--workspace", str(workspace.path)]) == 0
    assert [line["event"] for line in json.loads(capsys.readouterr().out)] == ["job.ended"]
