"""Jobs as people see them: what runs and waits, who works, stopping, and what went wrong."""

import importlib
import pkgutil

from sqlalchemy import update

import sfumato
from sfumato.compliance.work import TOLD
from sfumato.data.collect import collect
from sfumato.db import now
from sfumato.jobs.contract import JOBS
from sfumato.jobs.records import Job, Worker
from tests.web.conftest import open_studio
from tests.web.stocked import HOSTILE, as_vic, with_viewer


def asked(workspace, into="animals"):
    return collect(workspace, source="sample", into=into)


def change(workspace, job, **values):
    with workspace.write() as session:
        session.execute(update(Job).where(Job.id == job.id).values(**values))


def test_an_empty_list_says_what_will_be_here(browser):
    assert "Jobs will be here" in browser.page("/jobs").text


def test_a_job_that_waits_without_a_worker_says_what_to_do(browser, workspace):
    job = asked(workspace)
    page = browser.page("/jobs").text
    assert "Collect sample into animals" in page
    assert "1 job waits" in page
    assert "sfumato worker --lane desk" in page
    assert "sfumato worker --lane desk" in browser.page(f"/jobs/{job.id}").text


def test_stopping_by_the_form_ends_it_and_it_is_found_below(browser, workspace):
    job = asked(workspace)
    assert browser.post(f"/jobs/{job.id}/stop").headers["location"] == f"/jobs/{job.id}"
    page = browser.page("/jobs").text
    assert "Nothing runs and nothing waits" in page
    assert "stopped" in page


def test_one_that_runs_tells_how_far_and_how_fast(browser, workspace):
    job = asked(workspace)
    progress = {
        "done": 50,
        "total": 200,
        "unit": "images",
        "say": "training",
        "extra": {"images_per_second": 412.0, "seconds_left": 200},
    }
    change(workspace, job, status="running", progress=progress)
    page = browser.page(f"/jobs/{job.id}").text
    assert "50 of 200 images" in page
    assert "412 pictures a second" in page
    assert "3 min 20 s left" in page


def test_one_that_failed_says_what_to_do_and_how_the_log_calls_it(browser, workspace):
    job = asked(workspace)
    change(workspace, job, status="failed", error={"code": 1, "message": HOSTILE, "hint": "Free some room."})
    page = browser.page(f"/jobs/{job.id}").text
    assert "Free some room." in page
    assert HOSTILE not in page
    assert job.id[-6:] in page


def test_ended_ones_are_paged(browser, workspace):
    for n in range(22):
        change(workspace, asked(workspace, f"set-{n}"), status="done")
    page = browser.page("/jobs").text
    assert page.count('class="job-line"') == 20
    assert 'rel="next"' in page


def test_another_persons_job_is_not_stopped(workspace):
    job = asked(workspace)
    with_viewer(workspace)
    with open_studio(workspace) as client:
        vic = as_vic(client)
        page = vic.page(f"/jobs/{job.id}").text
        assert "or an admin can stop it" in page
        assert "/stop" not in page
        assert vic.post(f"/jobs/{job.id}/stop").status_code == 403


def test_the_mark_of_what_runs_and_a_job_that_is_not_there(browser, workspace):
    asked(workspace)
    assert "1 job" in browser.page("/jobs/running").text
    answer = browser.page("/jobs/nothing")
    assert answer.status_code == 404
    assert "no single job" in answer.text


def test_the_second_in_line_says_what_it_waits_for(browser, workspace):
    first, second = asked(workspace, "one"), asked(workspace, "two")
    page = browser.page("/jobs").text
    assert "2nd in line, after “Collect sample into one”: no worker is there to take it" in page
    with workspace.db.write() as session:
        session.add(Worker(id="w", lanes=["desk"], seen_at=now()))
    progress = {"done": 50, "total": 200, "unit": "pictures", "extra": {"seconds_left": 372}}
    change(workspace, first, status="running", worker="w", progress=progress)
    says = "Next in line: “Collect sample into one” is being done, about 6 minutes left"
    assert says in browser.page("/jobs").text
    alone = browser.page(f"/jobs/{second.id}").text
    assert says in alone
    assert f'data-on="job/{second.id} job/{first.id}"' in alone, "it is told anew as what it waits for goes on"
    (place,) = browser.get("/api/v1/line").json()
    assert (place["job"], place["place"], place["seconds"], place["says"]) == (second.id, 1, 372.0, says)


def test_every_kind_of_job_says_what_it_does(workspace):
    for room in pkgutil.walk_packages(sfumato.__path__, "sfumato."):
        if room.name.endswith((".jobs", ".exports.work")) or room.name == "sfumato.data.diversity":
            importlib.import_module(room.name)
    ours = {name for name, kind in JOBS.items() if kind.run.__module__.startswith("sfumato.")}
    assert len(ours) > 12
    assert ours - {*TOLD, "data.collect", "training.train", "generation.create"} == set()
