"""A judgement is an appended fact: it can be renewed and taken back, and everything that was ever said stays."""

import pytest
from sqlalchemy import select

from sfumato.actions.records import Event
from sfumato.errors import Conflict, Forbidden, InvalidInput, NotFound
from sfumato.review.judge import approve, rate, reject, review_of, withdraw
from sfumato.review.records import Judgement
from tests.crew import ALICE, CHARLIE, HOSTILE, add_pictures


def held(workspace, ref):
    """What decides, and what stands per person."""
    found = review_of(workspace, subject=ref)
    standing = {(one.by_name, one.verdict or one.rating) for one in found.standing}
    return found.decision.verdict if found.decision else None, standing


def test_the_newest_verdict_decides_and_the_other_still_stands(alice, bob):
    (ref,) = add_pictures(alice, 1)
    approve(alice, subjects=[ref])
    assert held(alice, ref) == ("approved", {("alice", "approved")})
    reject(bob, subjects=[ref], reason="six legs")
    assert held(alice, ref) == ("rejected", {("alice", "approved"), ("bob", "rejected")})
    approve(alice, subjects=[ref], reason="llamas may")
    assert held(bob, ref) == ("approved", {("alice", "approved"), ("bob", "rejected")})


def test_taking_back_brings_what_stood_before(alice):
    (ref,) = add_pictures(alice, 1)
    approve(alice, subjects=[ref], reason="good")
    reject(alice, subjects=[ref], reason="not so good")
    withdraw(alice, subjects=[ref])
    assert held(alice, ref) == ("approved", {("alice", "approved")})
    approve(alice, subjects=[ref], reason="very good")
    withdraw(alice, subjects=[ref])
    withdraw(alice, subjects=[ref])
    assert held(alice, ref) == (None, set())
    with pytest.raises(NotFound):
        withdraw(alice, subjects=[ref])
    assert len(review_of(alice, subject=ref).history) == 6


def test_rating_again_does_not_renew_a_verdict(alice, bob):
    (ref,) = add_pictures(alice, 1)
    approve(alice, subjects=[ref])
    reject(bob, subjects=[ref], reason="blurred")
    rate(alice, subjects=[ref], rating=2)
    rate(alice, subjects=[ref], rating=4)
    rate(bob, subjects=[ref], rating=1)
    assert held(alice, ref) == (
        "rejected", {("alice", "approved"), ("bob", "rejected"), ("alice", 4), ("bob", 1)},
    )  # fmt: skip
    assert review_of(alice, subject=ref).mean_rating == 2.5


def test_many_are_judged_in_one_act_and_taken_back_as_one(alice):
    refs = add_pictures(alice, 5)
    approve(alice, subjects=refs[:1])
    made = reject(alice, subjects=refs, reason="all the same")
    assert {held(alice, ref)[0] for ref in refs} == {"rejected"}
    with alice.read() as session:
        told = session.scalars(select(Event).where(Event.action == "review.reject")).all()
    assert [event.summary for event in told] == ["rejected 5 pictures: all the same"]
    assert sorted(told[0].details["subjects"]) == sorted(refs)
    withdraw(alice, batch=made.batch)
    assert [held(alice, ref)[0] for ref in refs] == ["approved", None, None, None, None]


def test_an_act_is_not_taken_back_over_what_was_said_since(alice):
    refs = add_pictures(alice, 2)
    made = approve(alice, subjects=refs)
    reject(alice, subjects=refs[:1], reason="on second thought")
    with pytest.raises(Conflict, match=refs[0]):
        withdraw(alice, batch=made.batch)
    assert held(alice, refs[1])[0] == "approved"


def test_one_takes_back_only_what_one_said(alice, bob):
    (ref,) = add_pictures(alice, 1)
    made = approve(alice, subjects=[ref])
    for how in ({"subjects": [ref]}, {"batch": made.batch}):
        with pytest.raises(NotFound):
            withdraw(bob, **how)
    assert held(alice, ref)[0] == "approved"


def test_saying_the_same_again_adds_nothing(alice):
    (ref,) = add_pictures(alice, 1)
    assert approve(alice, subjects=[ref, ref]).changed
    assert not approve(alice, subjects=[ref]).changed
    with alice.read() as session:
        assert len(session.scalars(select(Judgement)).all()) == 1


def test_the_event_names_the_picture(alice):
    (ref,) = add_pictures(alice, 1)
    approve(alice, subjects=[ref])
    with alice.read() as session:
        assert session.scalars(select(Event.subject).where(Event.action == "review.approve")).all() == [ref]


@pytest.mark.parametrize("text", ["", "  \n ", "x" * 2_001, "a\x00b"])
def test_a_rejection_needs_a_reason_that_is_text(alice, text):
    (ref,) = add_pictures(alice, 1)
    with pytest.raises(InvalidInput):
        reject(alice, subjects=[ref], reason=text)
    assert held(alice, ref) == (None, set())


def test_a_hostile_reason_comes_back_as_it_was_written(alice):
    (ref,) = add_pictures(alice, 1)
    reject(alice, subjects=[ref], reason=HOSTILE)
    assert review_of(alice, subject=ref).standing[0].reason == HOSTILE


def test_what_is_not_there_or_makes_no_sense_is_refused(alice):
    (ref,) = add_pictures(alice, 1)
    with pytest.raises(NotFound):
        approve(alice, subjects=["image/nowhere"])
    with pytest.raises(InvalidInput):
        approve(alice, subjects=[])
    with pytest.raises(InvalidInput):
        rate(alice, subjects=[ref], rating=6)


def test_a_viewer_is_refused(either):
    (ref,) = add_pictures(either, 1)
    viewer = either.as_actor(CHARLIE)
    for act in (
        lambda: approve(viewer, subjects=[ref]), lambda: reject(viewer, subjects=[ref], reason="no"),
        lambda: rate(viewer, subjects=[ref], rating=1), lambda: withdraw(viewer, subjects=[ref]),
    ):  # fmt: skip
        with pytest.raises(Forbidden):
            act()
    assert held(viewer, ref) == (None, set())


def test_what_is_private_is_judged_by_its_maker_alone(alice, bob):
    (ref,) = add_pictures(alice, 1, private=True, by=ALICE)
    approve(alice, subjects=[ref])
    assert held(alice, ref)[0] == "approved"
    for act in (lambda: approve(bob, subjects=[ref]), lambda: review_of(bob, subject=ref)):
        with pytest.raises(NotFound):
            act()
    with bob.read() as session:
        assert session.scalars(select(Judgement)).all() == []
        assert session.scalars(select(Event).where(Event.action == "review.approve")).all() == []
