"""Settings as a page: the project, the look, the key, the workspace's facts and its care."""

import re

from sfumato.db import now
from sfumato.jobs.queue import get_job
from sfumato.people.projects import list_projects, show_project
from sfumato.trust.keys import show_keys
from sfumato.web.words import date
from tests.web.crowd import crew, door
from tests.web.test_team import signed_in

__all__ = ["crew", "door"]
SCRIPT = "<script>alert(1)</script>"


def test_a_project_is_renamed_and_a_stale_version_overwrites_nothing(workspace, browser):
    version = show_project(workspace).version
    said = {"name": SCRIPT, "description": "Cards\r\nfor autumn", "version": version}
    assert browser.post("/settings/project", data=said).status_code == 303
    page = browser.page("/settings").text
    assert SCRIPT not in page
    assert "Cards\nfor autumn" in page
    stale = browser.post("/settings/project", data=said | {"name": "Other"})
    assert stale.status_code == 409
    assert "Nothing was overwritten" in stale.text
    assert show_project(workspace).name == SCRIPT


def test_another_project_is_made_and_one_is_there_at_once(workspace, browser):
    assert browser.post("/settings/projects", data={"name": "Autumn"}).status_code == 303
    assert "Project: Autumn" in browser.page("/settings").text
    twice = browser.post("/settings/projects", data={"name": "Autumn"})
    assert twice.status_code == 409
    assert 'value="Autumn"' in twice.text
    assert len(list_projects(workspace)) == 2


def test_a_project_is_put_away_and_taken_out_again(browser):
    only = browser.post("/settings/project/archive", data={})
    assert "only project" in only.text
    browser.post("/settings/projects", data={"name": "Autumn"})
    assert browser.post("/settings/project/archive", data={}).status_code == 303
    assert "Take it out again" in browser.page("/settings").text
    assert browser.post("/asks", data={"question": "Now?", "to": "role/researcher"}).status_code == 409
    assert browser.post("/settings/project/unarchive", data={}).status_code == 303
    assert "Put it away" in browser.page("/settings").text


def test_the_key_is_renewed(workspace, browser):
    page = browser.page("/settings").text
    assert "There is no key yet" in page
    assert "Renew the key" not in page
    assert browser.post("/settings/keys/rotate").status_code == 303
    first = show_keys(workspace).fingerprint
    page = browser.page("/settings").text
    assert first in page
    assert date(now()) in page
    assert f"{now():%Y-%m-%d}" not in page
    assert "Renew the key" in page
    browser.post("/settings/keys/rotate")
    assert show_keys(workspace).fingerprint != first


def test_facts_storage_and_care_are_there_for_who_cares(workspace, browser):
    page = browser.page("/settings").text
    assert str(workspace.path) in page
    assert ("SQLite" if workspace.db.is_sqlite else "PostgreSQL") in page
    storage = browser.page("/settings/storage").text
    assert "By kind" in storage
    assert "nothing to tidy" in storage
    assert browser.post("/settings/storage/tidy").status_code == 303
    for path, kind in (("/settings/doctor", "care.doctor"), ("/settings/backup", "care.backup")):
        answer = browser.post(path, data={"deep": "1"})
        job = re.fullmatch(r"/records/job/([0-9a-f-]{36})", answer.headers["location"])
        assert job is not None
        assert get_job(workspace, job_id=job[1]).kind == kind


def test_the_look_is_chosen_and_kept(browser):
    assert browser.post("/look", data={"theme": "dark", "back": "/settings"}).headers["location"] == "/settings"
    assert 'data-theme="dark"' in browser.page("/settings").text


def test_a_viewer_sees_why_what_is_not_theirs_is_shut(crew, door):
    vic = signed_in(door, "vic")
    page = vic.page("/settings").text
    for needed in ("project.write", "keys.write", "workspace.care"):
        assert f"permission &#39;{needed}&#39;" in page
    assert str(crew.path) not in page
    assert vic.page("/settings/storage").status_code == 403
    for path in ("/settings/project/archive", "/settings/keys/rotate", "/settings/storage/tidy", "/settings/doctor"):
        assert vic.post(path, data={}).status_code == 403, path
    assert vic.post("/settings/backup", data={"with_keys": "1"}).status_code == 403
