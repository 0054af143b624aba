"""Notices are events of others that concern me, until I have read up to them."""

import pytest

from sfumato.errors import InvalidInput
from sfumato.people.asks import make_ask
from sfumato.people.notices import read_to, unread
from sfumato.review.judge import approve, reject
from tests.crew import ALICE, BOB, CHARLIE, add_pictures


@pytest.fixture
def alice(either):
    """The workspace as Alice sees it."""
    return either.as_actor(ALICE)


@pytest.fixture
def bob(either):
    """The same workspace as Bob sees it."""
    return either.as_actor(BOB)


def test_judgements_of_my_pictures_are_told_to_me_and_not_my_own(alice, bob, either):
    refs = add_pictures(alice, 3, by=ALICE)
    approve(alice, subjects=refs)
    reject(bob, subjects=refs[:2], reason="no ears")
    found = unread(alice)
    assert (found.count, [one.by_name for one in found.notices]) == (1, ["bob"])
    assert found.notices[0].summary == "rejected 2 pictures: no ears"
    assert unread(bob).count == 0
    assert unread(either.as_actor(CHARLIE)).count == 0


def test_reading_goes_forward_only_and_leaves_what_came_later(alice, bob):
    for number in range(5):
        make_ask(alice, question=f"{number}?", to="responsible-AI advisor")
    first = unread(bob, limit=2)
    assert (first.count, [one.summary[-2:] for one in first.notices]) == (5, ["4?", "3?"])
    second = unread(bob, limit=2, before=first.notices[-1].position)
    assert [one.summary[-2:] for one in second.notices] == ["2?", "1?"]
    assert read_to(bob, position=second.notices[0].position) == second.notices[0].position
    assert [one.summary[-2:] for one in unread(bob).notices] == ["4?", "3?"]
    read_to(bob, position=first.newest)
    assert read_to(bob, position=0) == first.newest
    assert (unread(bob).count, unread(bob).notices) == (0, [])
    make_ask(alice, question="6?", to="responsible-AI advisor")
    assert unread(bob).count == 1


def test_an_event_that_reaches_me_twice_is_told_once(alice, either):
    both = either.as_actor(type(ALICE)("person/dora", "dora", ("researcher", "data scientist")))
    ask = make_ask(alice, question="?", to="researcher")
    assert ask.to == "role/researcher"
    assert unread(both).count == 1


def test_one_cannot_have_read_what_has_not_happened(alice):
    with pytest.raises(InvalidInput, match="no event"):
        read_to(alice, position=10_000)
