"""The studio answers to its own names alone, so that no other site can be taken for it."""

import pytest

from tests.web.conftest import open_studio


@pytest.mark.parametrize("host", ["localhost", "localhost:8760", "127.0.0.1:9", "[::1]:8760", "[::1]", "LOCALHOST"])
def test_it_answers_to_the_names_of_this_machine(outside, host):
    assert outside.get("/healthz", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize(
    "host",
    ["evil.example", "evil.example:8760", "localhost.evil.example", "127.0.0.1.evil.example", "", "[::1", "10.0.0.1"],
)
@pytest.mark.parametrize("path", ["/healthz", "/", "/api/v1/jobs", "/static/x"])
def test_it_answers_to_no_other_name_whatever_is_asked_for(browser, host, path):
    answer = browser.get(path, headers={"Host": host})
    assert answer.status_code == 421
    assert "name" in answer.json()["detail"]


def test_a_name_that_it_was_given_is_its_own(workspace):
    with open_studio(workspace, hosts=("Studio.example",)) as client:
        assert client.get("/healthz", headers={"Host": "studio.EXAMPLE:443"}).status_code == 200
        assert client.get("/healthz", headers={"Host": "other.example"}).status_code == 421
