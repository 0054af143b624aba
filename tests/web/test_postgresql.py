"""The same studio on PostgreSQL: roles at the door, and two servers that tell each other what happens."""

from contextlib import contextmanager

import httpx
import pytest

from sfumato.actions import Workspace
from sfumato.people.comments import write_comment
from sfumato.people.invitations import accept_invitation, invite
from sfumato.people.owner import claim, make_owner_code
from sfumato.web.sessions import csrf_of
from tests.crew import add_pictures
from tests.people.team import PASSWORD
from tests.web.roles import Door, everybody, through_the_door
from tests.web.test_events import hub_of, listening, read, served
from tests.web.test_studio import until

pytestmark = pytest.mark.postgres


@pytest.fixture
def shared(settings, postgresql_url):
    with Workspace.open(settings=settings, database_url=postgresql_url) as opened:
        yield opened


@pytest.mark.slow
def test_roles_may_on_postgresql_exactly_what_the_table_says(shared):
    comers = everybody(shared)
    door = Door(shared)
    with door.client:
        for who in ("viewer", "product manager", "visitor"):
            assert through_the_door(door, comers[who]) == []


def test_what_happens_at_one_server_reaches_those_who_listen_at_another(shared, settings, postgresql_url):
    ref = add_pictures(shared, 1)[0]
    with (
        Workspace.open(settings=settings, database_url=postgresql_url) as other,
        served(other) as (client, server),
        listening(client, hub_of(server)) as lines,
    ):
        write_comment(shared, about=ref, text="a fine llama")
        assert read(lines, 1)[0][2]["action"] == "comment.write"


@contextmanager
def signed_in(studio, login):
    """A client of somebody who has signed in at a studio, as browsers do."""
    base = studio.address.partition("/launch/")[0]
    with httpx.Client(base_url=base, timeout=30) as client:
        client.headers["Origin"] = base
        answer = client.post("/sign-in", data={"login": login, "password": PASSWORD, "back": "/api"})
        assert answer.status_code == 303, answer.text
        client.headers["X-CSRF-Token"] = csrf_of(client.cookies["sfumato"])
        yield client


def done(client, path, **body):
    answer = client.post(f"/api/v1{path}", json=body)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_two_studios_on_one_database_carry_one_story(studio_process, settings, tmp_path, postgresql_url):
    """Ada draws, judges and asks in one studio; Bea sees it happen in another one, and answers there."""
    with Workspace.open(tmp_path / "workspace", settings=settings, database_url=postgresql_url) as workspace:
        claim(workspace, code=make_owner_code(workspace).code, login="ada", name="Ada", password=PASSWORD)
        code = invite(workspace, roles=["prompt designer"]).code
        accept_invitation(workspace, code=code, login="bea", name="Bea", password=PASSWORD)
    one, two = (studio_process(SFUMATO_DATABASE_URL=postgresql_url) for _ in range(2))
    with signed_in(one, "ada") as ada, signed_in(two, "bea") as bea, bea.stream("GET", "/api/v1/events") as stream:
        lines = stream.iter_lines()
        assert next(lines) == "retry: 1500"
        job = done(ada, "/requests", prompt="a red apple, noto style", options={"n": 1})["job"]["id"]
        drawn = until(lambda: (now := ada.get(f"/api/v1/jobs/{job}").json())["status"] == "done" and now)
        ref = f"image/{drawn['result']['pictures'][0]['id']}"
        done(ada, "/review/approvals", subjects=[ref], reason="clear even when small")
        asked = done(ada, "/asks", question="One that looks left?", to="role/prompt designer", refs=[ref])
        told: list[str] = []
        while "ask.make" not in told:
            told += [said["action"] for _, _, said in read(lines, 1, kinds=("event",))]
        assert [one for one in told if one in ("image.create", "review.approve")] == ["image.create", "review.approve"]
        assert [waits["id"] for waits in bea.get("/api/v1/waiting-asks").json()] == [asked["id"]]
        done(bea, f"/asks/{asked['id']}/answer", words="This one does.", evidence=ref)
        assert ada.get(f"/api/v1/asks/{asked['id']}").json()["status"] == "closed"
        assert "review.approve" in {event["action"] for event in bea.get("/api/v1/log").json()["items"]}
