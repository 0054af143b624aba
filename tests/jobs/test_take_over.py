"""A worker may die, stall or be stopped at any moment: the job is done once, and nothing is lost or doubled."""

import os
import signal
import time

import psutil
import pytest
from sqlalchemy import select

from sfumato.errors import Busy
from sfumato.jobs.queue import get_job, wait_for_job
from sfumato.jobs.records import Job
from tests.jobs.counting_work import counted, start

pytestmark = pytest.mark.whole


def numbers(path):
    lines = path.read_text().splitlines() if path.exists() else []
    return [int(line.split()[0]) for line in lines if line[0].isdigit()]


def stopped_between_writes(workspace, worker, job):
    """Stop a worker; one that holds the database just then goes on, as nobody could take over from it."""
    worker.send_signal(signal.SIGSTOP)
    try:
        with workspace.write() as session:
            session.scalars(select(Job).where(Job.id == job.id).with_for_update(nowait=True)).one()
    except Busy:
        worker.send_signal(signal.SIGCONT)
        time.sleep(0.01)
        return False
    return True


def test_after_kill_9_another_worker_goes_on_and_nothing_is_lost_or_doubled(either, start_worker, until, ended):
    job = start(either, to=12, pause=0.03)
    first = start_worker(either)
    until(lambda: len(counted(either, job.id)) >= 3)
    first.send_signal(signal.SIGKILL)
    first.wait()
    before = counted(either, job.id)
    start_worker(either)
    assert ended(either, job.id).result == {"counted": 12}
    rows = counted(either, job.id)
    assert [number for number, _ in rows] == list(range(12))
    assert rows[: len(before)] == before
    assert {attempt for _, attempt in rows} == {"attempt 1", "attempt 2"}
    assert get_job(either, job_id=job.id).attempt == 2


def test_a_worker_that_wakes_up_after_its_lease_writes_nothing_more(either, start_worker, until, ended):
    job = start(either, to=20, pause=0.03)
    stalled = start_worker(either, lease=0.6)
    until(lambda: len(counted(either, job.id)) >= 3)
    until(lambda: stopped_between_writes(either, stalled, job))
    start_worker(either, lease=0.6)
    until(lambda: get_job(either, job_id=job.id).attempt == 2)
    taken_over = counted(either, job.id)
    stalled.send_signal(signal.SIGCONT)
    assert ended(either, job.id).status == "done"
    rows = counted(either, job.id)
    assert [number for number, _ in rows] == list(range(20))
    first = [row for row in rows if row[1] == "attempt 1"]
    assert first == [row for row in taken_over if row[1] == "attempt 1"]
    log = either.path / "logs" / "worker.log"
    until(lambda: f"lost the lease of {job.id}, attempt 1" in log.read_text())
    assert stalled.poll() is None, "it lives on for other jobs"


@pytest.mark.parametrize("number", [signal.SIGTERM, pytest.param(signal.SIGINT, marks=pytest.mark.slow)])
def test_a_worker_told_to_stop_puts_its_job_back_and_the_next_goes_on_at_once(
    workspace, start_worker, until, ended, number
):
    job = start(workspace, to=100, pause=0.02)
    first = start_worker(workspace, lease=600)
    until(lambda: len(counted(workspace, job.id)) >= 3)
    first.send_signal(number)
    assert first.wait(timeout=20) == 0
    put_back = get_job(workspace, job_id=job.id)
    assert put_back.status == "waiting"
    assert put_back.progress["done"] == len(counted(workspace, job.id))
    start_worker(workspace, lease=600)
    assert ended(workspace, job.id).status == "done"
    assert [number for number, _ in counted(workspace, job.id)] == list(range(100))


def test_a_worker_told_to_stop_stops_its_child_after_a_whole_step(workspace, start_worker, until, ended, tmp_path):
    file = tmp_path / "numbers"
    job = start(workspace, kind="counting.apart", to=60, pause=0.05, file=str(file))
    first = start_worker(workspace, lease=600)
    until(lambda: len(numbers(file)) >= 3)
    first.send_signal(signal.SIGTERM)
    assert first.wait(timeout=20) == 0
    assert file.read_text().splitlines()[-1] == "stopped 1"
    assert get_job(workspace, job_id=job.id).status == "waiting"
    start_worker(workspace, lease=600)
    assert ended(workspace, job.id).status == "done"
    assert numbers(file) == list(range(60))


def test_a_child_whose_worker_is_killed_stops_by_itself_and_another_goes_on(
    workspace, start_worker, until, ended, tmp_path
):
    file = tmp_path / "numbers"
    job = start(workspace, kind="counting.apart", to=40, pause=0.05, file=str(file))
    first = start_worker(workspace, lease=600)
    until(lambda: len(numbers(file)) >= 3)
    child = int(file.read_text().split()[2])
    assert child not in (first.pid, os.getpid())
    first.send_signal(signal.SIGKILL)
    first.wait()
    until(lambda: not psutil.pid_exists(child) or psutil.Process(child).status() == psutil.STATUS_ZOMBIE)
    assert get_job(workspace, job_id=job.id).status == "waiting"
    start_worker(workspace, lease=600)
    assert ended(workspace, job.id).status == "done"
    assert numbers(file) == list(range(40))


@pytest.mark.slow
def test_a_killed_child_is_followed_by_another_at_once(workspace, start_worker, until, ended, tmp_path):
    file = tmp_path / "numbers"
    job = start(workspace, kind="counting.apart", to=12, pause=0.05, file=str(file))
    start_worker(workspace, lease=600)
    until(lambda: len(numbers(file)) >= 3)
    os.kill(int(file.read_text().split()[2]), signal.SIGKILL)
    assert ended(workspace, job.id).attempt == 2
    assert numbers(file) == list(range(12))


def test_who_waits_for_a_job_starts_a_worker_and_another_when_that_dies(workspace):
    job = start(workspace, to=100, pause=0.03)  # long enough to be killed in its middle on a busy machine
    killed = []

    def kill_once(seen):
        if not killed and seen.progress.get("done", 0) >= 1:
            with workspace.read() as session:
                killed.append(int(session.scalars(select(Job.worker)).one().split("/")[-2]))
            os.kill(killed[0], signal.SIGKILL)

    done = wait_for_job(workspace, job.id, on_progress=kill_once)
    assert (done.status, done.attempt, len(killed)) == ("done", 2, 1)
    assert [number for number, _ in counted(workspace, job.id)] == list(range(100))
