"""What a model must hold is set by those who may, told in words, and never overwritten unseen."""

import pytest

from sfumato.checkpoints.models import DEFAULT
from sfumato.errors import Conflict, Forbidden, InvalidInput, NotFound
from sfumato.product.criteria import check, drop_criterion, set_criterion, show_criterion
from tests.crew import ALICE, CHARLIE
from tests.product.measured import judge, measure


def test_the_three_states_of_an_approval_share_are_told_in_words(alice, weights):
    set_criterion(alice, model=DEFAULT, at_least=0.6, n_min=30)
    assert check(alice).words.startswith("Not enough data: it has drawn no picture here yet; wanted: approval share at")
    judge(alice, weights, approved=18, rejected=0)
    few = check(alice)
    assert (few.state, few.more, few.n) == ("not enough data", 12, 18)
    assert "18 of 18 approved" in few.words
    assert "12 more judged pictures needed. If 100 % stays, the low end passes already." in few.words
    judge(alice, weights, approved=13, rejected=9)
    holds = check(alice)
    assert (holds.state, holds.n, round(holds.low, 2), holds.more) == ("holds", 40, 0.62, 0)
    assert holds.words == (
        "Holds: 31 of 40 approved (62–88 %); wanted: approval share at least 60 % by the low end of its 95 % interval, "
        "from 30 judged pictures on."
    )
    judge(alice, weights, approved=0, rejected=20)
    assert check(alice).state == "fails"
    assert check(alice).words.startswith("Fails: 31 of 60 approved")


def test_an_interval_that_is_too_wide_says_at_how_many_it_would_pass(alice, weights):
    set_criterion(alice, model=DEFAULT, at_least=0.7)
    judge(alice, weights, approved=31, rejected=9)
    found = check(alice)
    assert (found.state, found.settled_at, found.more) == ("not enough data", 144, 104)
    assert "104 more judged pictures needed. If 77.5 % stays, the low end passes at 144." in found.words


def test_a_measurement_counts_for_the_weights_that_it_was_made_of(alice, weights):
    of = {"model": DEFAULT, "measure": "near copies", "group": "held-out pairs", "at_most": 0.05, "n_min": 100}
    set_criterion(alice, **of)
    assert "near copies of held-out pairs was not measured of these weights yet" in check(alice).words
    assert "100 more drawings needed" in check(alice).words
    measure(alice, "checkpoint/before", "near copies", "held-out pairs", 0.0, 0.0, 0.02, 200)
    measure(alice, weights, "near copies", "seen pairs", 0.0, 0.0, 0.02, 200)
    assert check(alice).state == "not enough data"
    measure(alice, weights, "near copies", "held-out pairs", 0.2, 0.15, 0.26, 200)
    assert check(alice).state == "fails"
    measure(alice, weights, "near copies", "held-out pairs", 0.01, 0.0, 0.036, 200)
    assert check(alice).state == "holds"
    assert check(alice).evidence.startswith("measurement/")


def test_two_who_set_it_are_told_and_not_overwritten(alice, bob):
    first = set_criterion(alice, model=DEFAULT, at_least=0.6)
    with pytest.raises(Conflict, match="alice has set the criterion") as told:
        set_criterion(bob, model=DEFAULT, at_least=0.5)
    assert "at least 60 %" in str(told.value)
    second = set_criterion(bob, model=DEFAULT, at_least=0.5, version=first.version)
    assert (second.version, second.set_by) == (2, "bob")
    with pytest.raises(Conflict, match="bob has set"):
        set_criterion(alice, model=DEFAULT, at_least=0.7, version=first.version)
    with pytest.raises(Conflict, match="bob has set"):
        drop_criterion(alice, model=DEFAULT, version=first.version)
    drop_criterion(alice, model=DEFAULT, version=second.version)
    assert show_criterion(alice, model=DEFAULT) is None
    with pytest.raises(Conflict, match="it was dropped"):
        set_criterion(bob, model=DEFAULT, at_least=0.7, version=second.version)
    assert set_criterion(bob, model=DEFAULT, at_least=0.7).version == 4


def test_without_one_there_is_nothing_to_check(alice):
    with pytest.raises(NotFound, match="No criterion is set"):
        check(alice)
    with pytest.raises(NotFound):
        drop_criterion(alice, model=DEFAULT, version=1)
    with pytest.raises(Conflict):
        set_criterion(alice, model=DEFAULT, at_least=0.6, version=3)


@pytest.mark.parametrize(
    "wrong",
    [
        {}, {"at_least": 0.5, "at_most": 0.6}, {"at_least": 1.5}, {"at_least": 0.5, "bound": "high"},
        {"at_most": 0.5, "bound": "low"}, {"at_least": 0.5, "bound": "middle"}, {"at_least": 0.5, "n_min": 0},
        {"at_least": 0.5, "measure": "beauty"}, {"at_least": 0.5, "measure": "recall@5"},
        {"at_least": 0.5, "group": "seen pairs"}, {"at_least": 0.5, "model": "none"},
        {"at_least": float("nan")},
    ],
)  # fmt: skip
def test_what_makes_no_sense_is_refused_in_words(alice, wrong):
    with pytest.raises((InvalidInput, NotFound)) as told:
        set_criterion(alice, **{"model": DEFAULT, **wrong})
    assert told.value.hint


def test_only_some_may_set_it(alice):
    for actor in (CHARLIE, type(ALICE)("person/dora", "dora", ("data scientist",))):
        with pytest.raises(Forbidden):
            set_criterion(alice.as_actor(actor), model=DEFAULT, at_least=0.6)
    assert show_criterion(alice.as_actor(CHARLIE), model=DEFAULT) is None
