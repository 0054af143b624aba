"""How jobs end: done, failed with their own error, cancelled while waiting or running; with progress on the way."""

from datetime import timedelta

import pytest
from sqlalchemy import update

from sfumato.actions import Actor
from sfumato.db import now
from sfumato.errors import Forbidden, NotFound
from sfumato.jobs.queue import cancel_job, ended_well, get_job, list_jobs
from sfumato.jobs.records import Job
from sfumato.jobs.worker import claim, run_worker
from tests.jobs.counting_work import counted, start

ALICE = Actor("person/alice", "alice", ("viewer",))


def test_progress_is_seen_while_a_job_runs_and_its_result_after(either, start_worker, until, ended):
    job = start(either, to=40, pause=0.05)
    assert job.progress == {}
    start_worker(either)
    seen = until(
        lambda: (
            (get_job(either, job_id=job.id).progress or {}).get("done", 0) > 1
            and get_job(either, job_id=job.id).progress
        )
    )
    assert (seen["total"], seen["unit"]) == (40, "numbers")
    done = ended(either, job.id)
    assert (done.status, done.progress["done"], done.result) == ("done", 40, {"counted": 40})


def test_a_waiting_job_is_cancelled_at_once_and_never_run(either):
    job = start(either, to=3)
    assert cancel_job(either, job_id=job.id).status == "cancelled"
    assert claim(either, "alice", ("quick",), None, 600) is None
    assert cancel_job(either, job_id=job.id).status == "cancelled"


def test_a_running_job_is_cancelled_at_its_next_step_and_keeps_what_it_made(either, start_worker, until, ended):
    job = start(either, to=10_000, pause=0.02)
    start_worker(either)
    until(lambda: len(counted(either, job.id)) > 3)
    assert cancel_job(either, job_id=job.id).stopping
    assert ended(either, job.id).status == "cancelled"
    kept = len(counted(either, job.id))
    assert 3 < kept < 10_000
    assert run_worker(either, only_job=job.id) == 0


def test_a_job_whose_worker_is_dead_is_cancelled_at_once(workspace):
    job = start(workspace, to=3)
    claim(workspace, "alice", ("quick",), None, 600)
    with workspace.write() as session:
        session.execute(update(Job).values(lease_until=now() - timedelta(seconds=1)))
    assert cancel_job(workspace, job_id=job.id).status == "cancelled"


def test_a_job_fails_with_its_own_error(workspace):
    job = start(workspace, kind="counting.failing", how="known")
    run_worker(workspace, only_job=job.id)
    failed = get_job(workspace, job_id=job.id)
    assert (failed.status, failed.error["code"]) == ("failed", NotFound.code)
    with pytest.raises(NotFound, match=r"There is no number after that\.\nCount less far\."):
        ended_well(failed)


def test_a_bug_in_a_job_is_told_and_does_not_end_the_worker(workspace):
    broken = start(workspace, key="broken", kind="counting.failing", how="bug")
    unknown = start(workspace, key="unknown", kind="counting.nothing")
    good = start(workspace, key="good", to=1)
    run_worker(workspace, only_job=broken.id)
    run_worker(workspace, only_job=unknown.id)
    run_worker(workspace, only_job=good.id)
    assert "KeyError" in get_job(workspace, job_id=broken.id).error["message"]
    assert get_job(workspace, job_id=unknown.id).error["code"] == NotFound.code
    assert get_job(workspace, job_id=good.id).status == "done"


def test_a_job_acts_as_the_person_who_asked_for_it(workspace):
    job = start(workspace.as_actor(ALICE), kind="counting.forbidden")
    assert job.asked_by == "person/alice"
    run_worker(workspace, only_job=job.id)
    failed = get_job(workspace, job_id=job.id)
    assert failed.error["code"] == Forbidden.code
    assert "keys.write" in failed.error["message"]


def test_jobs_are_found_by_the_end_of_their_id_if_there_is_one_such(workspace):
    ids = [start(workspace, key=f"k{number}", to=1).id for number in range(3)]
    assert get_job(workspace, job_id=ids[1][-8:]).id == ids[1]
    for wrong in ("", ids[0][:6], "%"):
        with pytest.raises(NotFound):
            get_job(workspace, job_id=wrong)
    assert [job.id for job in list_jobs(workspace, limit=2)] == ids[:0:-1]
