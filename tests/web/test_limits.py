"""Nobody asks so often that the others wait."""

import pytest

from sfumato.web.limits import LARGEST, Limits
from sfumato.web.problems import TooOften
from tests.web.conftest import HERE, open_studio


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_so_many_in_a_row_then_as_many_as_time_gives():
    clock = Clock()
    limits = Limits({"sign-in": (3, 6.0)}, clock=clock)
    for _ in range(3):
        limits.take("sign-in", "bea")
    with pytest.raises(TooOften) as refused:
        limits.take("sign-in", "bea")
    assert refused.value.seconds == 10
    clock.now += 9
    with pytest.raises(TooOften):
        limits.take("sign-in", "bea")
    clock.now += 1.1
    limits.take("sign-in", "bea")
    with pytest.raises(TooOften):
        limits.take("sign-in", "bea")


def test_one_persons_turns_are_not_anothers():
    limits = Limits({"create": (1, 1.0)})
    limits.take("create", "bea")
    limits.take("create", "abel")


def test_a_crowd_does_not_fill_the_memory():
    limits = Limits({"create": (1, 1.0)})
    for number in range(LARGEST + 50):
        limits.take("create", str(number))
    assert len(limits._buckets) == LARGEST


def test_a_guesser_is_stopped_and_told_when_to_come_back(outside):
    answers = [outside.get(f"/launch/guess-{number}") for number in range(12)]
    assert [one.status_code for one in answers[:10]] == [403] * 10
    assert answers[-1].status_code == 429
    assert int(answers[-1].headers["retry-after"]) >= 1
    assert "Wait" in answers[-1].json()["hint"]
    launch = outside.app.state.house.serving.launch
    assert outside.get(f"/launch/{launch}").status_code == 429


def test_a_large_body_is_refused_before_it_is_read(browser):
    answer = browser.post("/look", content=b"x" * 1_000_001)
    assert answer.status_code == 413
    assert answer.json()["title"] == "Too large"


def test_a_body_that_hides_its_size_is_cut_off(browser):
    def pieces():
        for _ in range(40):
            yield b"theme=" + b"x" * 50_000

    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    answer = browser.post("/look", content=pieces(), headers=headers)
    assert answer.status_code == 413


def test_the_limits_are_those_that_the_studio_was_started_with(workspace):
    with open_studio(workspace, small=10) as client:
        assert client.post("/sign-out", content=b"x" * 11, headers={"Origin": HERE}).status_code == 413
