"""Work is done with those roles of whoever asked for it that they still hold when it begins."""

from sfumato.jobs.queue import get_job
from sfumato.jobs.worker import run_worker
from sfumato.people.members import set_roles
from sfumato.people.persons import disable
from tests.jobs.counting_work import start
from tests.people.team import come, own


def run(asking, monkeypatch, meanwhile=None):
    """How a job that adds a dataset ends, if something happens between asking and doing."""
    monkeypatch.setenv("SFUMATO_JOB_MODULES", "tests.jobs.counting_work")
    job = start(asking, kind="counting.dataset", name="shapes")
    if meanwhile:
        meanwhile()
    run_worker(asking, only_job=job.id)
    return get_job(asking, job_id=job.id)


def test_who_still_holds_the_role_has_the_work_done(workspace, monkeypatch):
    bob = come(workspace, own(workspace), "Bob", "data scientist", "viewer")
    done = run(bob.workspace, monkeypatch)
    assert (done.status, done.result["by"]) == ("done", bob.entered.person)
    assert done.result["roles"] == ["data scientist", "viewer"]


def test_who_lost_the_role_meanwhile_has_not(workspace, monkeypatch):
    olga = own(workspace)
    bob = come(workspace, olga, "Bob", "data scientist")
    done = run(bob.workspace, monkeypatch, lambda: set_roles(olga.workspace, person="bob", roles=["researcher"]))
    assert (done.status, done.error["code"]) == ("failed", 4)


def test_nor_has_who_may_come_in_no_more(workspace, monkeypatch):
    olga = own(workspace)
    bob = come(workspace, olga, "Bob", "data scientist")
    done = run(bob.workspace, monkeypatch, lambda: disable(olga.workspace, person="bob"))
    assert (done.status, done.error["code"]) == ("failed", 4)
