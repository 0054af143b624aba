"""A job is asked for, seen and run in its project, as whoever asked for it; workers serve all projects."""

import pytest
from sqlalchemy import select

from sfumato.actions import Actor
from sfumato.data.records import Dataset
from sfumato.errors import Forbidden, NotFound
from sfumato.jobs.queue import cancel_job, get_job, list_jobs
from sfumato.jobs.worker import run_worker
from tests.jobs.counting_work import start

OTHER = "00000000-0000-7000-8000-0000000000aa"
ALICE = Actor("person/alice", "alice", ("data scientist",))


def test_a_worker_runs_a_job_in_its_project_as_who_asked(either):
    other = either.in_project(OTHER).as_actor(ALICE)
    asked = start(other, kind="counting.dataset", name="theirs")
    run_worker(either, only_job=asked.id)
    done = get_job(other, job_id=asked.id)
    assert done.result == {"by": "person/alice", "roles": ["data scientist"], "project": OTHER}
    with other.read() as session:
        assert session.scalars(select(Dataset.name)).all() == ["theirs"]
    with either.read() as session:
        assert session.scalars(select(Dataset.name)).all() == []


def test_one_key_may_wait_in_two_projects_and_neither_sees_the_others_job(either):
    other = either.in_project(OTHER)
    own, theirs = start(either, to=1), start(other, to=1)
    assert own.id != theirs.id
    assert start(either, to=1).id == own.id
    assert [job.id for job in list_jobs(either)] == [own.id]
    assert [job.id for job in list_jobs(other)] == [theirs.id]
    for verb in (get_job, cancel_job):
        with pytest.raises(NotFound):
            verb(either, job_id=theirs.id)


def test_a_job_is_stopped_by_who_asked_and_by_an_admin_alone(either):
    alice = either.as_actor(ALICE)
    asked, other = start(alice, to=1), start(alice, key="other", to=1)
    with pytest.raises(Forbidden, match="somebody else"):
        cancel_job(either.as_actor(Actor("person/bob", "bob", ("ML engineer",))), job_id=asked.id)
    assert cancel_job(alice, job_id=asked.id).status == "cancelled"
    assert cancel_job(either, job_id=other.id).status == "cancelled"


def test_a_job_in_a_process_of_its_own_runs_in_its_project_too(workspace, tmp_path):
    other = workspace.in_project(OTHER).as_actor(ALICE)
    asked = start(other, kind="counting.apart", to=2, file=str(tmp_path / "told"))
    run_worker(workspace, only_job=asked.id)
    assert get_job(other, job_id=asked.id).status == "done"
