"""What goes wrong is said in one form, to people and to programs, and is found again in the log."""

import json

import pytest

from sfumato.logs import read_lines
from sfumato.web import app, entrance
from tests.web.conftest import enter, open_studio


def lines(workspace) -> str:
    return (workspace.path / "logs" / "studio.log").read_text(encoding="utf-8")


def test_a_program_is_told_by_the_one_form_of_problems(browser):
    answer = browser.get("/api/v1/datasets/emojis")
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"
    said = answer.json()
    assert set(said) == {"type", "title", "status", "detail", "hint", "id"}
    assert said["detail"] == "There is no dataset 'emojis'."
    assert said["type"] == "/api#not-found"
    assert said["status"] == 404


def test_what_cannot_be_used_is_named(browser):
    said = browser.post("/api/v1/requests", json={"prompt": "a llama", "colour": "red"}).json()
    assert said["status"] == 422
    assert "colour" in said["detail"]
    wrong = browser.get("/api/v1/jobs?limit=0").json()
    assert "limit" in wrong["detail"]


@pytest.mark.parametrize("body", [b"{", b"[]", b"\xff", b'"x"', b"null"])
def test_a_body_that_is_no_json_of_ours_is_told_as_such(browser, body):
    answer = browser.post("/api/v1/requests", content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code in (400, 422)
    assert answer.headers["content-type"] == "application/problem+json"


def test_a_person_is_told_by_a_page(browser):
    answer = browser.page("/nothing/here")
    assert answer.status_code == 404
    assert answer.headers["content-type"].startswith("text/html")
    assert "Not found" in answer.text
    assert answer.headers["x-request-id"] in answer.text


def test_an_address_that_only_reads_cannot_be_written_to(browser):
    assert browser.post("/healthz").status_code == 405


def test_what_nobody_foresaw_says_little_and_is_found_in_the_log_by_its_id(workspace, monkeypatch):
    def broken(visit: entrance.Here) -> None:
        raise RuntimeError("sfm_secret-token and a password=hunter2")

    monkeypatch.setattr(entrance.router, "addresses", list(entrance.router.addresses))
    entrance.router.add("/broken/{what}", broken, ("GET",))
    monkeypatch.setattr(app, "addresses", app.addresses.__wrapped__)  # found anew, not as every studio here has them
    with open_studio(workspace) as client:
        browser = enter(client)
        for answer in (browser.page("/broken/private"), browser.get("/broken/private")):
            assert answer.status_code == 500
            assert "RuntimeError" not in answer.text
            assert "hunter2" not in answer.text
        said = browser.get("/broken/private").json()
    found = read_lines(workspace.path / "logs", error=said["id"])
    assert any("RuntimeError" in line.get("traceback", "") for line in found)
    assert all(line.get("route", "/broken/{what}") == "/broken/{what}" for line in found)


def test_the_log_has_one_line_for_each_request_and_nobodys_secrets(workspace):
    with open_studio(workspace) as client:
        browser = enter(client)
        browser.get("/api/v1/search?q=top-secret-words")
        browser.post("/api/v1/requests", json={"prompt": "a very private llama"})
        browser.get("/sign-in?password=hunter2")
        client.get("/launch/not-the-right-one")
        secrets = [client.app.state.house.serving.launch, client.cookies["sfumato"], browser.csrf]
        client.app.state.house.log.close()
    text = lines(workspace)
    for hidden in (*secrets, "top-secret-words", "private llama", "hunter2", "not-the-right-one"):
        assert hidden not in text
    found = [json.loads(line) for line in text.splitlines()]
    asked = [line for line in found if line.get("route") == "/api/v1/search"]
    assert len(asked) == 1
    assert asked[0]["status"] == 200
    assert asked[0]["person"].startswith("person/")
    assert asked[0]["ms"] >= 0
    assert [line["route"] for line in found if line["route"].startswith("/launch")] == ["/launch/{token}"] * 2
