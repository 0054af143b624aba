"""A team at the same studio: signing in, tokens with scopes, projects, and what is nobody else's business."""

import pytest

from sfumato.people.identify import local_actor
from sfumato.people.invitations import accept_invitation, invite
from sfumato.people.members import set_roles
from sfumato.people.owner import claim, make_owner_code
from sfumato.people.projects import create_project
from sfumato.people.tokens import make_token, revoke_token
from sfumato.web.visits import PROJECT
from tests.web.conftest import HERE, Browser, enter, open_studio

PASSWORD = "nine tall giraffes"


@pytest.fixture
def team(workspace):
    """Owen owns the workspace, Vic is a viewer, Dana a data scientist."""
    claim(workspace, code=make_owner_code(workspace).code, login="owen", name="Owen", password=PASSWORD)
    for login, role in (("vic", "viewer"), ("dana", "data scientist")):
        code = invite(workspace, roles=[role]).code
        accept_invitation(workspace, code=code, login=login, name=login.title(), password=PASSWORD)
    return workspace


@pytest.fixture
def door(team):
    with open_studio(team) as client:
        yield client


def signed_in(client, login, password=PASSWORD):
    data = {"login": login, "password": password, "back": "/api", "csrf": Browser(client).csrf}
    answer = client.post("/sign-in", data=data, headers={"Origin": HERE})
    assert answer.status_code == 303, answer.text
    assert answer.headers["location"] == "/api"
    return Browser(client)


def as_person(workspace, login):
    """The workspace as that person sees it who has signed in."""
    from sfumato.people.identify import person_of_session
    from sfumato.people.signins import sign_in

    actor = person_of_session(workspace, sign_in(workspace, login=login, password=PASSWORD).secret)
    return workspace.as_actor(actor)


def bearer(secret):
    return {"Authorization": f"Bearer {secret}"}


def test_the_launch_token_lets_nobody_in_any_more_once_there_is_a_team(workspace):
    with open_studio(workspace) as client:
        alone = enter(client)
        assert alone.get("/api/v1/jobs").status_code == 200
        claim(workspace, code=make_owner_code(workspace).code, login="owen", name="Owen", password=PASSWORD)
        assert alone.get("/api/v1/jobs").status_code == 401
    with open_studio(workspace) as later:
        launch = later.app.state.house.serving.launch
        assert later.get(f"/launch/{launch}").headers["location"] == "/sign-in"


def test_a_person_who_has_not_signed_in_is_shown_where(door):
    answer = door.get("/api", headers={"Accept": "text/html"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in?back=/api")
    assert 'name="password"' in door.get("/sign-in").text


def test_signing_in_gives_a_fresh_secret_and_the_right_roles(door):
    door.cookies.set("sfumato", "chosen-before", domain="127.0.0.1", path="/")
    vic = signed_in(door, "vic")
    assert door.cookies["sfumato"] != "chosen-before"
    assert vic.get("/api/v1/datasets").status_code == 200
    refused = vic.post("/api/v1/datasets/mine/collections", json={"source": "sample"})
    assert refused.status_code == 403
    assert "dataset.write" in refused.json()["detail"]


@pytest.mark.parametrize(("login", "password"), [("vic", "wrong"), ("nobody", PASSWORD), ("", "")])
def test_a_wrong_password_and_an_unknown_name_are_told_alike(door, login, password):
    answer = door.post("/sign-in", data={"login": login, "password": password}, headers={"Origin": HERE})
    assert answer.status_code == 403
    assert "not right" in answer.text
    assert "sfumato" not in door.cookies


def test_a_revoked_right_ends_at_once(door, team):
    dana = signed_in(door, "dana")
    body = {"source": "sample"}
    assert dana.post("/api/v1/datasets/mine/collections", json=body).status_code == 200
    owen = as_person(team, "owen")
    set_roles(owen, person="dana", roles=["viewer"])
    assert dana.post("/api/v1/datasets/other/collections", json=body).status_code == 403


def test_a_token_needs_neither_origin_nor_form_token_and_does_what_it_was_made_for(door, team):
    dana = as_person(team, "dana")
    reads = make_token(dana, name="reads", scopes=["record.read"]).secret
    writes = make_token(dana, name="writes", scopes=["record.read", "dataset.write"]).secret
    path = "/api/v1/datasets/mine/collections"
    assert door.get("/api/v1/datasets", headers=bearer(reads)).status_code == 200
    assert door.post(path, json={"source": "sample"}, headers=bearer(reads)).status_code == 403
    assert door.post(path, json={"source": "sample"}, headers=bearer(writes)).status_code == 200


def test_a_token_that_does_not_count_is_nobody_whatever_the_cookie(door, team):
    dana = signed_in(door, "dana")
    made = make_token(as_person(team, "dana"), name="old", scopes=["record.read"])
    assert dana.get("/api/v1/datasets", headers=bearer(made.secret)).status_code == 200
    revoke_token(as_person(team, "dana"), token=made.token.id)
    for secret in (made.secret, "sfm_guess", "x"):
        assert dana.get("/api/v1/datasets", headers=bearer(secret)).status_code == 401


def test_another_project_is_seen_by_its_members_alone(door, team):
    other = create_project(team, name="Secret").id
    dana = signed_in(door, "dana")
    answer = dana.get("/api/v1/datasets", headers={"X-Sfumato-Project": other})
    assert answer.status_code == 403 or answer.json()["items"] == []
    dana.client.cookies.set(PROJECT, other, domain="127.0.0.1")
    assert dana.get("/api/v1/datasets").status_code == 200  # her own project, not the one that the cookie names
    assert dana.post("/project", data={"project": other}).status_code == 404


def test_a_token_stays_in_its_project(door, team):
    made = make_token(as_person(team, "dana"), name="reads", scopes=["record.read"])
    other = create_project(team.as_actor(local_actor(team)), name="Secret").id
    headers = bearer(made.secret) | {"X-Sfumato-Project": other}
    own = door.get("/api/v1/log", headers=bearer(made.secret)).json()
    assert door.get("/api/v1/log", headers=headers).json() == own


def test_a_session_can_be_signed_out_everywhere(door):
    vic = signed_in(door, "vic")
    kept = dict(door.cookies)
    vic.post("/sign-out")
    door.cookies.update(kept)
    assert vic.get("/api/v1/datasets").status_code == 401


def test_a_folder_of_the_server_is_read_for_admins_alone(door, team, tmp_path):
    body = {"source": "folder", "options": {"path": str(tmp_path)}}
    dana = signed_in(door, "dana")
    refused = dana.post("/api/v1/datasets/mine/collections", json=body)
    assert refused.status_code == 403
    assert "Upload" in refused.json()["hint"]
    door.cookies.clear()
    owen = signed_in(door, "owen")
    assert owen.post("/api/v1/datasets/mine/collections", json=body).status_code == 200
