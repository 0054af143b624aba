"""A model goes live only if its criterion holds; what was live before comes back when it is rolled back."""

import pytest
from sqlalchemy import select

from sfumato.actions.records import Event
from sfumato.checkpoints.models import DEFAULT, find_model, show_model
from sfumato.checkpoints.records import Alias, Checkpoint, Model
from sfumato.errors import Conflict, Forbidden, InvalidInput, NotFound
from sfumato.product.criteria import set_criterion
from sfumato.product.launch import go_live, roll_back, show_live
from sfumato.training.runs import train
from tests.crew import BOB, CHARLIE
from tests.product.measured import add_model, judge


@pytest.fixture
def second(alice):
    """The reference of the weights of a second model, `other`, that holds its criterion."""
    ref = add_model(alice, "other")
    set_criterion(alice, model="other", at_least=0.6)
    judge(alice, ref, approved=40, rejected=0)
    return ref


@pytest.fixture
def first(alice, weights):
    """The model that came along, holding its criterion."""
    set_criterion(alice, model=DEFAULT, at_least=0.6)
    judge(alice, weights, approved=31, rejected=9)


def test_the_refusal_says_what_is_missing(alice, weights):
    with pytest.raises(NotFound, match="No criterion is set"):
        go_live(alice, model=DEFAULT)
    set_criterion(alice, model=DEFAULT, at_least=0.6)
    judge(alice, weights, approved=18, rejected=0)
    with pytest.raises(Conflict, match="12 more judged pictures needed") as told:
        go_live(alice, model=DEFAULT)
    assert "cannot go live. Not enough data: 18 of 18 approved" in str(told.value)
    judge(alice, weights, approved=0, rejected=30)
    with pytest.raises(Conflict, match="Fails: 18 of 48 approved"):
        go_live(alice, model=DEFAULT)
    with pytest.raises(NotFound, match="No model is live"):
        show_live(alice)


def test_what_holds_goes_live_with_its_grounds(alice, first):
    made = go_live(alice, model=DEFAULT)
    assert (made.model, made.by_name, made.here) == (DEFAULT, "alice", True)
    assert made.grounds.startswith("Holds: 31 of 40 approved (62–88 %)")
    assert show_live(alice) == made
    assert show_model(alice, name="live").name == DEFAULT
    assert find_model(alice, "live").sha256 == made.sha256
    assert go_live(alice, model=DEFAULT) == made
    with alice.read() as session:
        told = session.scalars(select(Event).where(Event.action == "product.go_live")).all()
        assert len(session.scalars(select(Alias)).all()) == 1
    assert len(told) == 1
    assert told[0].details["n"] == 40


def test_live_is_one_model_and_the_one_before_comes_back(alice, first, second):
    go_live(alice, model=DEFAULT)
    made = go_live(alice, model="other")
    assert (made.model, made.before) == ("other", DEFAULT)
    assert find_model(alice, "live").name == "other"
    back = roll_back(alice, reason="no ears")
    assert (back.model, back.before) == (DEFAULT, "")
    assert find_model(alice, "live").name == DEFAULT
    with pytest.raises(Conflict, match="No model was live before"):
        roll_back(alice)
    go_live(alice, model="other")
    roll_back(alice)
    assert show_live(alice).model == DEFAULT
    with alice.read() as session:
        assert [row.turn for row in session.scalars(select(Alias).order_by(Alias.turn))] == [1, 2, 3, 4, 5]


def test_live_stays_with_the_weights_that_held_when_the_model_learns_on(alice, second):
    before = go_live(alice, model="other").sha256
    add_model(alice, "newer")
    with alice.write() as session:
        row = session.scalars(select(Model).where(Model.name == "other")).one()
        newer = session.scalars(select(Model).where(Model.name == "newer")).one()
        row.checkpoint_id = newer.checkpoint_id
    assert find_model(alice, "other").sha256 != before
    assert find_model(alice, "live").sha256 == before
    assert find_model(alice, "other", sha256=before).sha256 == before
    with pytest.raises(Conflict, match="no picture here yet"):
        go_live(alice, model="other")


def test_it_does_not_roll_back_to_weights_that_are_gone(alice, first, second):
    go_live(alice, model="other")
    go_live(alice, model=DEFAULT)
    with alice.read() as session:
        sha256 = session.scalars(select(Checkpoint.content_hash)).one()
    alice.store.path(sha256).unlink()
    with pytest.raises(Conflict, match="not in this workspace any more"):
        roll_back(alice)
    assert show_live(alice).model == DEFAULT


def test_without_a_live_model_its_name_says_so(alice):
    with pytest.raises(NotFound, match="No model is live in this project yet"):
        find_model(alice, "live")
    with pytest.raises(Conflict):
        roll_back(alice)
    with pytest.raises(InvalidInput, match="'live' cannot be a run's name"):
        train(alice, recipe_name="flow", data="x", name="live")


def test_only_some_may_launch(alice, first):
    for actor in (CHARLIE, BOB):
        with pytest.raises(Forbidden):
            go_live(alice.as_actor(actor), model=DEFAULT)
    go_live(alice, model=DEFAULT)
    with pytest.raises(Forbidden):
        roll_back(alice.as_actor(CHARLIE))
