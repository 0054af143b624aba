"""The printed address lets one browser in, once, and nobody else; what it gives lasts over a restart."""

import re

from fastapi.routing import APIRoute

from tests.web.conftest import enter, open_studio

OPEN = {"/healthz", "/join", "/launch/{token}", "/new-password", "/own", "/sign-in", "/sign-out"}


def test_nobody_is_let_in_anywhere_without_it(outside):
    seen = 0
    for route in outside.app.routes:
        if not isinstance(route, APIRoute) or route.path in OPEN:
            continue
        path = re.sub(r"\{[^}]*\}", "x", route.path)
        for method in sorted(route.methods):
            headers = {"Origin": "http://127.0.0.1:8760", "Content-Type": "application/json"}
            answer = outside.request(method, path, headers=headers, content=b"{}")
            assert answer.status_code in (401, 422) or answer.headers.get("location") == "/sign-in", (method, path)
            assert answer.status_code == 401 or "type" in answer.json(), (method, path)
            seen += 1
    assert seen > 30


def test_the_address_lets_one_browser_in_and_no_second(outside):
    first = enter(outside)
    assert first.get("/api/v1/jobs").status_code == 200
    kept = dict(outside.cookies)
    outside.cookies.clear()
    again = outside.get(f"/launch/{outside.app.state.house.serving.launch}")
    assert again.status_code == 403
    assert "opened before" in again.json()["detail"]
    assert outside.get("/api/v1/jobs").status_code == 401
    outside.cookies.update(kept)
    assert outside.get(f"/launch/{outside.app.state.house.serving.launch}").headers["location"] == "/"


def test_a_wrong_token_lets_nobody_in_and_does_not_spoil_the_right_one(outside):
    assert outside.get("/launch/abc").status_code == 403
    assert not outside.cookies
    assert enter(outside).get("/api/v1/jobs").status_code == 200


def test_the_browser_keeps_a_secret_that_scripts_and_other_sites_cannot_read(outside):
    answer = outside.get(f"/launch/{outside.app.state.house.serving.launch}")
    said = answer.headers["set-cookie"]
    assert "HttpOnly" in said
    assert "SameSite=lax" in said
    assert outside.app.state.house.serving.launch not in said


def test_over_tls_the_cookie_is_bound_to_the_very_host(workspace):
    with open_studio(workspace, secure=True) as client:
        said = client.get(f"/launch/{client.app.state.house.serving.launch}").headers["set-cookie"]
    assert said.startswith("__Host-sfumato=")
    assert "Secure" in said
    assert "Domain" not in said


def test_who_was_let_in_stays_in_when_the_studio_starts_again(workspace):
    with open_studio(workspace) as client:
        enter(client)
        cookies = dict(client.cookies)
    with open_studio(workspace) as later:
        later.cookies.update(cookies)
        assert later.get("/api/v1/jobs").status_code == 200
    kept = (workspace.path / "keys" / "browsers.json").read_text()
    assert cookies["sfumato"] not in kept


def test_signing_out_ends_it_on_the_server_too(browser):
    cookies = dict(browser.client.cookies)
    assert browser.post("/sign-out").status_code == 303
    browser.client.cookies.update(cookies)
    assert browser.get("/api/v1/jobs").status_code == 401


def test_a_session_that_somebody_else_chose_is_none(outside):
    outside.cookies.set("sfumato", "chosen-by-somebody-else")
    enter(outside)
    assert outside.cookies.get("sfumato", domain="127.0.0.1") != "chosen-by-somebody-else"
