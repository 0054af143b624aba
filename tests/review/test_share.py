"""The approval share of a model counts each picture once, and says how far it can be trusted."""

import pytest

from sfumato.checkpoints import models
from sfumato.checkpoints.models import find_model
from sfumato.review.judge import approve, rate, reject, withdraw
from sfumato.review.share import approval_share
from tests.crew import add_pictures


@pytest.fixture
def weights(alice, embedded, monkeypatch):
    """The weights of a model that came along."""
    monkeypatch.setattr(models, "EMBEDDED", embedded)
    return find_model(alice).ref


def test_it_is_said_with_its_interval(alice, weights):
    refs = add_pictures(alice, 45, weights=weights)
    add_pictures(alice, 3, weights="checkpoint/of-another")
    approve(alice, subjects=refs[:31])
    reject(alice, subjects=refs[31:40], reason="no llama")
    rate(alice, subjects=refs[40:42], rating=5)
    found = approval_share(alice)
    assert (found.approved, found.judged, found.pictures) == (31, 40, 45)
    assert found.words == "31 of 40 approved (62–88 %)"
    assert found.low < found.share == 31 / 40 < found.high


def test_each_picture_counts_once_by_the_newest_verdict(alice, bob, weights):
    one, two, three = add_pictures(alice, 3, weights=weights)
    approve(alice, subjects=[one, two, three])
    reject(bob, subjects=[one, two], reason="no")
    assert (approval_share(alice).approved, approval_share(alice).judged) == (1, 3)
    withdraw(bob, subjects=[one])
    approve(bob, subjects=[two])
    assert (approval_share(alice).approved, approval_share(alice).judged) == (3, 3)
    withdraw(alice, subjects=[three])
    assert (approval_share(alice).approved, approval_share(alice).judged) == (2, 2)


def test_without_judgements_it_says_so_and_no_number(alice, weights):
    assert approval_share(alice).words == "it has drawn no picture here yet"
    add_pictures(alice, 4, weights=weights)
    found = approval_share(alice)
    assert found.words == "none of its 4 pictures was judged yet"
    assert (found.share, found.low, found.high) == (None, 0.0, 1.0)


def test_it_is_the_same_whoever_looks_so_what_is_private_does_not_count(alice, bob, weights):
    approve(alice, subjects=add_pictures(alice, 3, weights=weights))
    approve(alice, subjects=add_pictures(alice, 2, weights=weights, private=True))
    assert approval_share(alice) == approval_share(bob)
    assert (approval_share(alice).judged, approval_share(alice).pictures) == (3, 3)


def test_another_projects_pictures_and_judgements_do_not_count(alice, weights):
    approve(alice, subjects=add_pictures(alice, 3, weights=weights))
    elsewhere = alice.in_project("00000000-0000-7000-8000-00000000000f")
    assert approval_share(elsewhere).words == "it has drawn no picture here yet"
