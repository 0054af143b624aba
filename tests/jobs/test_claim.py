"""A job is asked for once, claimed once, and given up only when its attempts get no further."""

import contextlib
import subprocess
import sys
from dataclasses import replace
from datetime import timedelta

import psutil
import pytest
from sqlalchemy import select, update

from sfumato.actions import Workspace, action
from sfumato.db import now
from sfumato.errors import SfumatoError
from sfumato.jobs import contract
from sfumato.jobs.queue import cancel_job, enqueue, get_job, handed_on, list_jobs, somebody_works, wait_for_job
from sfumato.jobs.records import Job, Worker
from sfumato.jobs.run import run_attempt
from sfumato.jobs.worker import LANES, TRIES, claim, run_worker
from tests.jobs.counting_work import counted, start

RACE = """
import sys, time
from sfumato.actions import Workspace
from tests.jobs.counting_work import start
from sfumato.jobs.worker import claim
with Workspace.open(create=False) as workspace:
    print("ready", flush=True)
    sys.stdin.readline()
    {work}
"""


def race(workspace, work: str, processes: int = 3) -> list[str]:
    """Let processes do the same at the same moment, and return what each has printed."""
    command = [sys.executable, "-c", RACE.format(work=work)]
    racing = [
        subprocess.Popen(
            command, env=handed_on(workspace), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(processes)
    ]  # fmt: skip
    for one in racing:
        assert one.stdout.readline() == "ready\n", one.communicate()[1]
    for one in racing:
        one.stdin.write("go\n")
        one.stdin.flush()
    said = [one.communicate(timeout=120) for one in racing]
    assert [one.returncode for one in racing] == [0] * processes, said
    return [out for out, _ in said]


def test_the_same_key_asked_for_at_once_by_several_processes_gives_one_job(either):
    ids = race(either, 'print([start(workspace, key=f"k{n}", to=1).id for n in range(15)])')
    assert len(set(ids)) == 1
    assert len(list_jobs(either)) == 15


def test_several_processes_claim_each_job_once(either):
    wanted = {start(either, key=f"k{number}", to=1).id for number in range(30)}
    taken = race(
        either,
        """
    until = time.monotonic() + 60
    taken = []
    while len(taken) < 30 and time.monotonic() < until:
        job = claim(workspace, "me", ("quick",), None, 600)
        if job is not None:
            taken.append(job.id)
        else:
            from sfumato.jobs.queue import list_jobs
            if all(job.status == "running" for job in list_jobs(workspace)):
                break
    print(*taken)""",
    )
    claimed = " ".join(taken).split()
    assert sorted(claimed) == sorted(wanted)


def test_a_key_may_be_used_again_once_its_job_has_ended(workspace):
    first = start(workspace, to=1)
    assert start(workspace, to=1).id == first.id
    run_worker(workspace, only_job=first.id)
    assert start(workspace, to=1).id != first.id


def test_a_job_whose_holder_lives_is_not_taken(workspace):
    start(workspace, to=1)
    assert claim(workspace, "alice", ("quick",), None, 600) is not None
    assert claim(workspace, "bob", ("quick",), None, 600) is None


def test_workers_keep_to_their_lane(workspace):
    job = start(workspace, to=1)
    assert claim(workspace, "alice", ("long",), None, 600) is None
    assert claim(workspace, "alice", ("quick", "long"), None, 600).id == job.id


def test_an_attempt_that_has_lost_its_lease_neither_writes_nor_ends_the_job(either):
    job = start(either, to=3)
    first = claim(either, "alice", ("quick",), None, -1)
    second = claim(either, "bob", ("quick",), None, 600)
    assert (first.attempt, second.attempt) == (1, 2)
    run_attempt(either, job.id, 1)
    assert counted(either, job.id) == []
    assert get_job(either, job_id=job.id).status == "running"
    context = contract.JobContext(either, job.id, 1)
    with pytest.raises(contract.LeaseLost), context.write() as session:
        session.add(Worker(id="written by a ghost", lanes=[]))
    with pytest.raises(contract.LeaseLost):
        context.check()
    assert context.cancelled()
    with either.read() as session:
        assert session.scalars(select(Worker.id)).all() == []
    run_attempt(either, job.id, 2)
    assert [number for number, _ in counted(either, job.id)] == [0, 1, 2]


def test_a_job_whose_worker_always_dies_is_given_up_and_says_so(workspace, start_worker, ended):
    job = start(workspace, kind="counting.dying", steps=0, to=1)
    expire = update(Job).where(Job.id == job.id).values(lease_until=now() - timedelta(seconds=1))
    for _ in range(TRIES):
        assert claim(workspace, "alice", ("quick",), None, 600) is not None
        with workspace.write() as session:
            session.execute(expire)
    assert claim(workspace, "alice", ("quick",), None, 600) is None
    given_up = get_job(workspace, job_id=job.id)
    assert given_up.status == "failed"
    assert f"died {TRIES} times without getting further" in given_up.error["message"]


def test_a_job_that_gets_further_each_time_is_not_given_up(workspace):
    job = start(workspace, to=1)
    for attempt in range(1, 3 * TRIES):
        taken = claim(workspace, "alice", ("quick",), None, -1)
        assert (taken.id, taken.attempt, taken.tries) == (job.id, attempt, 1)
        with workspace.write() as session:
            session.execute(update(Job).values(progress={"done": attempt}))


def test_waiting_ends_in_words_when_no_worker_starts(workspace, monkeypatch):
    job = start(workspace, to=1)
    monkeypatch.setenv("SFUMATO_MAX_PIXELS", "none")
    broken = workspace.settings.model_copy(update={"max_pixels": "none"})
    with pytest.raises(SfumatoError, match="No worker starts") as told:
        wait_for_job(replace(workspace, settings=broken), job.id)
    assert "worker.log" in told.value.hint
    assert "SFUMATO_MAX_PIXELS" in (workspace.path / "logs" / "worker.log").read_text()


@pytest.mark.postgres
def test_the_password_of_a_database_reaches_the_worker_and_no_log_or_command(settings, postgresql_url, tmp_path):
    url = postgresql_url.replace("postgres@", "postgres:secret@")
    with Workspace.open(settings=settings, database_url=url) as team:
        file = tmp_path / "numbers"
        job = start(team, kind="counting.apart", to=2, file=str(file))
        seen = set()

        def look(_):
            for one in psutil.Process().children(recursive=True):
                with contextlib.suppress(psutil.Error):
                    seen.add(" ".join(one.cmdline()))

        assert wait_for_job(team, job.id, on_progress=look).status == "done"
        assert len(file.read_text().splitlines()) == 2
        assert any("sfumato.jobs.child" in command for command in seen)
        assert "secret" not in " ".join(seen) + (team.path / "logs" / "worker.log").read_text() + repr(team)


def test_a_live_worker_of_the_lane_is_known_until_it_leaves(workspace, start_worker, until):
    job = start(workspace, key="long one", to=60, pause=0.05)
    assert not somebody_works(workspace, job)
    worker = start_worker(workspace)
    until(lambda: somebody_works(workspace, job))
    worker.terminate()
    assert worker.wait(timeout=20) == 0
    assert not somebody_works(workspace, job)
    cancel_job(workspace, job_id=job.id)


def test_a_worker_busy_with_long_work_does_not_keep_a_quick_job_waiting(workspace):
    long = start(workspace, key="training", to=3, lane="long")
    quick = start(workspace, key="drawing", to=1)
    with workspace.write() as session:
        session.add(Worker(id="busy", lanes=["quick", "long"]))
    assert somebody_works(workspace, quick)
    assert claim(workspace, "busy", ("long",), None, 60) is not None
    assert not somebody_works(workspace, quick)
    assert somebody_works(workspace, long)


@action("counting.ask", needs="job.read", doors=())
def ask(act, *, key):
    return enqueue(act, kind="counting.rows", spec={"to": 1}, key=key)


def test_what_takes_hours_holds_up_nothing_that_takes_minutes(workspace):
    training = start(workspace, key="training", to=3, lane="long")
    checking = ask(workspace, key="checking")
    assert claim(workspace, "trains", ("long",), None, 60).id == training.id
    assert claim(workspace, "trains", ("long",), None, 60) is None
    assert claim(workspace, "does the rest", ("desk",), None, 60).id == checking.id
    assert set(LANES) == {"quick", "desk", "long"}
