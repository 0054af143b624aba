"""What waits to be judged: pictures that I have not judged, newest first, a page at a time."""

import pytest

from sfumato.errors import NotFound
from sfumato.review.judge import approve, rate, withdraw
from sfumato.review.queue import queue
from tests.crew import ALICE, BOB, add_pictures


def refs(found):
    """What is listed."""
    return [one.ref for one in found]


def test_what_i_judged_leaves_my_queue_and_no_other(alice, bob):
    made = sorted(add_pictures(alice, 4), reverse=True)
    assert refs(queue(alice)) == made
    approve(alice, subjects=made[:1])
    rate(alice, subjects=made[1:2], rating=3)
    assert refs(queue(alice)) == made[2:]
    assert refs(queue(bob)) == made
    withdraw(alice, subjects=made[:1])
    assert refs(queue(alice)) == [made[0], *made[2:]]


def test_pages_follow_each_other_whatever_is_judged_meanwhile(alice):
    made = sorted(add_pictures(alice, 7), reverse=True)
    first = queue(alice, limit=3)
    approve(alice, subjects=refs(first))
    second = queue(alice, limit=3, after=first[-1].id)
    third = queue(alice, limit=3, after=second[-1].id)
    assert refs([*first, *second, *third]) == made
    assert first[0].title
    assert len(first[0].picture) == 64


def test_what_somebody_else_made_in_private_is_not_listed(alice, bob):
    private = add_pictures(alice, 1, private=True, by=ALICE)
    add_pictures(alice, 1, by=BOB)
    assert set(private) <= set(refs(queue(alice)))
    assert len(refs(queue(bob))) == 1
    assert not set(private) & set(refs(queue(bob)))


def test_an_unknown_kind_is_said_to_be_none(alice):
    with pytest.raises(NotFound, match="no kind of record 'imag'"):
        queue(alice, kind="imag")
