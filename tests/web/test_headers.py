"""What every answer tells the browser about how far it may be trusted."""

import pytest


@pytest.mark.parametrize("path", ["/api", "/nothing", "/api/v1/jobs", "/healthz", "/api/v1/datasets/none"])
def test_every_answer_is_closed_to_scripts_frames_and_other_sites(browser, path):
    headers = browser.page(path).headers
    policy = headers["content-security-policy"]
    for part in ("default-src 'self'", "object-src 'none'", "base-uri 'none'", "frame-ancestors 'none'"):
        assert part in policy
    assert "unsafe" not in policy
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["cross-origin-opener-policy"] == "same-origin"
    assert headers["cross-origin-resource-policy"] == "same-origin"
    assert headers["cache-control"] == "no-store"
    assert "server" not in headers


def test_refusals_are_as_closed_as_answers(outside):
    for answer in (outside.get("/", headers={"Host": "evil.example"}), outside.get("/api/v1/jobs")):
        assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
        assert answer.headers["cache-control"] == "no-store"


def test_a_page_names_nothing_outside_of_the_studio_and_runs_nothing_inline(browser):
    text = browser.page("/api").text
    assert "<script>" not in text
    assert " style=" not in text
    assert " onclick" not in text
    assert 'src="http' not in text
