"""What changes something must come from a page of ours: by its origin and by the token of its form."""

import pytest

from tests.web.conftest import HERE

LOOK = {"theme": "dark", "back": "/"}


def test_a_form_of_ours_is_taken(browser):
    own = {"Origin": HERE}
    answer = browser.client.post("/look", data=LOOK | {"csrf": browser.csrf}, headers=own)
    assert answer.status_code == 303
    assert "sfumato_theme=dark" in answer.headers["set-cookie"]


@pytest.mark.parametrize("token", ["", "x", "é", "0" * 40])
def test_a_form_without_the_sessions_token_is_refused(browser, token):
    answer = browser.client.post("/look", data=LOOK | {"csrf": token}, headers={"Origin": HERE})
    assert answer.status_code == 403
    assert "out of date" in answer.json()["detail"]


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"}, {"Origin": "null"}, {"Origin": "http://127.0.0.1:9999"}, {},
        {"Origin": HERE, "Sec-Fetch-Site": "cross-site"}, {"Origin": HERE, "Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "none"},
    ],
)  # fmt: skip
def test_even_with_the_token_it_must_not_come_from_elsewhere(browser, headers):
    answer = browser.client.post("/look", data=LOOK | {"csrf": browser.csrf}, headers=headers)
    assert answer.status_code == 403
    assert "another site" in answer.json()["detail"]


def test_a_page_that_hides_where_it_is_is_known_by_what_the_browser_says(browser):
    headers = {"Origin": "null", "Sec-Fetch-Site": "same-origin"}
    assert browser.client.post("/look", data=LOOK | {"csrf": browser.csrf}, headers=headers).status_code == 303


def test_a_program_with_a_cookie_needs_the_token_as_well(browser):
    body = {"source": "sample", "options": {}}
    path = "/api/v1/datasets/some/collections"
    assert browser.client.post(path, json=body, headers={"Origin": HERE}).status_code == 403
    assert browser.post(path, json=body).status_code == 200


def test_after_a_form_nobody_is_sent_to_another_site(browser):
    for back in ("//evil.example", "https://evil.example", "/\\evil.example", "javascript:alert(1)"):
        answer = browser.post("/look", data=LOOK | {"back": back})
        assert answer.headers["location"] == "/"
