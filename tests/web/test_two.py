"""Two people before the same record: each hears and sees what the other does, and overwrites nothing of it."""

from contextlib import ExitStack, contextmanager

import httpx
import pytest

from sfumato.generation.create import create
from sfumato.jobs.worker import run_worker
from sfumato.people.projects import show_project
from sfumato.web.sessions import csrf_of
from tests.people.team import PASSWORD, come, own
from tests.web.test_events import hub_of, listening, read, served

REASON = "the rim is lost"


@contextmanager
def signed_in(studio, login):
    """A browser of one's own, signed in at a real server."""
    base = str(studio.base_url)
    with httpx.Client(base_url=base, timeout=30, headers={"Origin": base.rstrip("/")}) as client:
        answer = client.post("/sign-in", data={"login": login, "password": PASSWORD, "back": "/api"})
        assert (answer.status_code, answer.headers["location"]) == (303, "/api"), answer.text
        client.headers["X-CSRF-Token"] = csrf_of(client.cookies["sfumato"])
        yield client


@contextmanager
def both(workspace):
    """Olga and Abel, admins of one project, each before a browser; and the hub that tells them of things."""
    olga = own(workspace)
    come(workspace, olga, "Abel", "admin")
    come(workspace, olga, "Vic", "viewer")
    with ExitStack() as open_ones:
        studio, server = open_ones.enter_context(served(workspace))
        first, second = (open_ones.enter_context(signed_in(studio, login)) for login in ("olga", "abel"))
        yield first, second, hub_of(server)


@pytest.fixture
def two(workspace):
    with both(workspace) as found:
        yield found


def test_a_judgement_is_heard_by_the_other_and_shown_on_their_page(pictured):
    asked = create(pictured, prompt="a red disc", options={"n": 1, "steps": 1, "upscale": 1})
    run_worker(pictured, only_job=asked.job.id, poll=0.02)
    with both(pictured) as (olga, abel, hub):
        picture = abel.get(f"/api/v1/tiles?request_id={asked.request_id}").json()["items"][0]["id"]
        assert REASON not in abel.get(f"/pictures/{picture}").text
        with listening(abel, hub) as stream:
            body = {"subjects": [f"image/{picture}"], "reason": REASON}
            assert olga.post("/api/v1/review/rejections", json=body).status_code == 200
            told = read(stream, 1, kinds=("event",))[0][2]
        assert (told["action"], told["subject"]) == ("review.reject", f"image/{picture}")
        page = abel.get(f"/pictures/{picture}").text
        assert REASON in page
        assert "Olga" in page


@pytest.mark.parametrize("door", ["form", "api"])
def test_who_renames_a_project_second_is_told_who_was_first(two, workspace, door):
    olga, abel, _ = two
    seen = next(one for one in abel.get("/api/v1/projects").json() if one["id"] == workspace.project)
    address = f"/api/v1/projects/{seen['id']}"
    said = {"name": "Llamas", "version": seen["version"]}
    assert olga.patch(address, json=said).status_code == 200
    said["name"] = "Herons"
    stale = abel.patch(address, json=said) if door == "api" else abel.post("/settings/project", data=said)
    told(stale, "Olga")
    assert show_project(workspace).name == "Llamas"


@pytest.mark.parametrize("door", ["form", "api"])
def test_who_changes_roles_second_is_told_who_was_first(two, workspace, door):
    olga, abel, _ = two
    vic = next(one for one in abel.get("/api/v1/people").json() if one["name"] == "Vic")
    said = {"roles": ["researcher"], "version": vic["version"]}
    address = f"/api/v1/people/{vic['id']}/roles"
    assert olga.put(address, json=said).status_code == 200
    said["roles"] = ["responsible-AI advisor"]
    stale = abel.put(address, json=said) if door == "api" else abel.post(f"/people/{vic['id']}/roles", data=said)
    told(stale, "Olga")
    now = next(one for one in olga.get("/api/v1/people").json() if one["name"] == "Vic")
    assert now["roles"] == ["researcher"]


def told(answer, who):
    """It was refused in words that say who was first, and that their change stands."""
    assert answer.status_code == 409, answer.text
    assert f"{who} changed this on" in answer.text
    assert "Nothing was overwritten" in answer.text
