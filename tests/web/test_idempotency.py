"""The same key does a thing once, and gives the same answer however often it is sent."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from sfumato.actions.events import last_position
from sfumato.generation.pictures import list_requests
from sfumato.jobs.queue import list_jobs

PATH = "/api/v1/requests"


def ask(browser, key, **body):
    return browser.post(PATH, json={"prompt": "a red disc", **body}, headers={"Idempotency-Key": key})


def test_the_same_key_and_body_give_the_same_answer_and_do_nothing_twice(drawing, pictured):
    first, second = ask(drawing, "k1"), ask(drawing, "k1")
    assert first.status_code == second.status_code == 200
    assert first.content == second.content
    assert len(list_requests(pictured)) == 1
    assert len(list_jobs(pictured)) == 1


def test_another_key_is_another_request(drawing, pictured):
    assert ask(drawing, "k1").json()["request_id"] != ask(drawing, "k2").json()["request_id"]
    assert len(list_requests(pictured)) == 2


def test_the_same_key_for_something_else_is_refused_in_words(drawing, pictured):
    ask(drawing, "k1")
    answer = ask(drawing, "k1", options={"n": 2})
    assert answer.status_code == 422
    assert "k1" in answer.json()["detail"]
    other = drawing.post("/api/v1/datasets/some/collections", json={"source": "sample"},
                         headers={"Idempotency-Key": "k1"})  # fmt: skip
    assert other.status_code == 422
    assert len(list_requests(pictured)) == 1


def test_what_was_refused_leaves_the_key_free(drawing, pictured):
    assert ask(drawing, "k1", options={"background": "blau"}).status_code == 422
    assert ask(drawing, "k1").status_code == 200


def test_many_at_once_make_one(drawing, pictured):
    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(lambda _: ask(drawing, "same"), range(6)))
    assert {one.status_code for one in answers} == {200}
    assert len({one.content for one in answers}) == 1
    assert len(list_requests(pictured)) == 1


def test_the_event_is_written_once(browser, workspace):
    path = "/api/v1/datasets/some/collections"
    for _ in range(2):
        assert browser.post(path, json={"source": "sample"}, headers={"Idempotency-Key": "c"}).status_code == 200
    assert last_position(workspace) == 1


@pytest.mark.parametrize("key", ["", "x" * 121])
def test_a_key_that_is_none_is_refused(drawing, key):
    assert ask(drawing, key).status_code == 422
