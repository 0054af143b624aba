"""An evaluation says in which stage it is, and how long it still takes by the pace of its drawings."""

import pytest

from sfumato.evaluation import jobs
from sfumato.evaluation.jobs import Stages


@pytest.fixture
def clock(monkeypatch):
    """A clock that stands still until it is set."""
    seconds = [0.0]
    monkeypatch.setattr(jobs.time, "monotonic", lambda: seconds[0])
    return seconds


def test_stages_are_named_and_numbered(clock):
    stages = Stages(["train", "heldout_pair"], 40)
    assert stages.reading(50, 120).say == "stage 1 of 5: reading names, 50 of 120"
    assert stages.drawing("train", 0).say == "stage 2 of 5: drawing seen pairs"
    assert stages.judging("train", 20).say == "stage 3 of 5: judging seen pairs"
    assert stages.drawing("heldout_pair", 20).say == "stage 4 of 5: drawing held-out pairs"


def test_the_time_left_is_told_once_something_was_drawn(clock):
    stages = Stages(["train"], 40)
    assert stages.reading(0, 10).extra == {}
    clock[0] = 100.0  # names take their own time, which says nothing of drawings
    assert stages.drawing("train", 0).extra == {}
    clock[0] = 110.0
    step = stages.drawing("train", 10)
    assert step.extra == {"seconds_left": 30}
    assert (step.done, step.total, step.unit) == (10, 40, "drawings")


def test_what_an_earlier_attempt_drew_is_no_pace(clock):
    stages = Stages(["train"], 40)
    stages.drawing("train", 0)
    assert stages.drawing("train", 30, kept=True).extra == {}
    clock[0] = 20.0
    assert stages.drawing("train", 35).extra == {"seconds_left": 20}
