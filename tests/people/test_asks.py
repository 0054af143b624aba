"""An ask goes from a person to a role or a person; only an act or a record closes it, and the asker is told."""

from datetime import date, timedelta

import pytest
from sqlalchemy import select

from sfumato.actions.records import Event
from sfumato.errors import Conflict, Forbidden, InvalidInput, NotFound
from sfumato.people.asks import (
    answer_ask,
    asks_about,
    asks_of_mine,
    asks_waiting,
    change_ask,
    decline_ask,
    make_ask,
    show_ask,
    withdraw_ask,
)
from sfumato.people.comments import write_comment
from sfumato.people.notices import unread
from sfumato.people.records import Membership
from sfumato.review.judge import approve
from tests.crew import ALICE, BOB, CHARLIE, HOSTILE, add_pictures


def ids(found):
    """Which asks are listed."""
    return [one.id for one in found]


def last_event(workspace, name):
    """The newest event of an action."""
    with workspace.read() as session:
        which = select(Event).where(Event.action == name).order_by(Event.position.desc())
        return session.scalars(which).first().ref


@pytest.fixture
def alice(either):
    """The workspace as Alice sees it."""
    return either.as_actor(ALICE)


@pytest.fixture
def bob(either):
    """The same workspace as Bob sees it."""
    return either.as_actor(BOB)


def test_an_ask_waits_for_the_role_until_it_is_closed_and_the_asker_is_told(alice, bob):
    refs = add_pictures(alice, 2)
    made = make_ask(alice, question="A better llama?", to="responsible-AI advisor", refs=refs)
    assert (made.by_name, made.to_name, made.status) == ("alice", "every responsible-AI advisor", "open")
    assert made.refs == refs
    assert ids(asks_waiting(alice)) == []
    assert ids(asks_waiting(bob)) == [made.id]
    assert asks_waiting(bob)[0].waits_for_me
    assert [one.summary for one in unread(bob).notices] == [
        "asked every responsible-AI advisor: A better llama?"
    ]
    done = answer_ask(bob, ask=made.id[-8:], words="This one.", evidence=refs[0])
    assert (done.status, done.replies[0].words, done.replies[0].evidence) == ("closed", "This one.", refs[0])
    assert asks_waiting(bob) == []
    (mine,) = asks_of_mine(alice)
    assert (mine.status, mine.replies[0].by_name) == ("closed", "bob")
    assert [one.summary for one in unread(alice).notices] == ["answered “A better llama?”: This one."]


def test_it_is_closed_by_what_was_done_since_by_oneself(alice, bob):
    (ref,) = add_pictures(alice, 1)
    approve(bob, subjects=[ref])
    before = last_event(bob, "review.approve")
    made = make_ask(alice, question="Look at it", to="responsible-AI advisor", refs=[ref])
    approve(alice, subjects=[ref])
    of_another = last_event(bob, "review.approve")
    write_comment(bob, about=ref, text="I shall.")
    words = last_event(bob, "comment.write")
    nowhere = ["event/none", "nonsense", "", "image/none", "checkpoint/" + "a" * 64]
    for evidence in (before, of_another, words, made.ref, *nowhere):
        with pytest.raises(InvalidInput):
            answer_ask(bob, ask=made.id, words="Done.", evidence=evidence)
    assert show_ask(bob, ask=made.id).status == "open"
    approve(bob, subjects=[ref], reason="looked at")
    proof = last_event(bob, "review.approve")
    assert answer_ask(bob, ask=made.id, words="Done.", evidence=proof).status == "closed"


def test_handing_it_back_closes_nothing_and_tells_the_asker_why(alice, bob):
    made = make_ask(alice, question="Llamas?", to="responsible-AI advisor")
    back = decline_ask(bob, ask=made.id, reason="Ask the data scientist.")
    assert (back.status, back.replies[0].kind, back.waits_for_me) == ("open", "declined", False)
    assert asks_waiting(bob) == []
    assert "Ask the data scientist." in unread(alice).notices[0].summary
    with pytest.raises(Conflict):
        decline_ask(bob, ask=made.id, reason="Really.")
    other = bob.as_actor(type(BOB)("person/dora", "dora", ("responsible-AI advisor",)))
    assert ids(asks_waiting(other)) == [made.id]
    moved = change_ask(alice, ask=made.id, version=back.version, to="data scientist")
    assert moved.to_name == "every data scientist"
    dana = bob.as_actor(type(BOB)("person/dana", "dana", ("data scientist",)))
    assert ids(asks_waiting(dana)) == [made.id]
    assert asks_waiting(alice) == []  # one does not wait for oneself, though she is a data scientist too


def test_who_asked_takes_it_back_and_nobody_else(alice, bob):
    made = make_ask(alice, question="Llamas?", to="responsible-AI advisor")
    with pytest.raises(Forbidden, match="alice"):
        withdraw_ask(bob, ask=made.id)
    assert withdraw_ask(alice, ask=made.id).status == "withdrawn"
    assert asks_waiting(bob) == []
    with pytest.raises(Conflict, match="alice took it back meanwhile"):
        answer_ask(bob, ask=made.id, words="Here", evidence="image/1")  # whatever the evidence
    assert show_ask(bob, ask=made.ref).replies[0].kind == "withdrawn"


def test_two_who_change_one_ask_are_told_and_not_overwritten(alice, bob):
    (ref,) = add_pictures(alice, 1)
    made = make_ask(alice, question="Llamas?", to="responsible-AI advisor")
    change_ask(alice, ask=made.id, version=made.version, question="Four llamas?")
    with pytest.raises(Conflict, match="you changed it meanwhile"):
        change_ask(alice, ask=made.id, version=made.version, question="Five llamas?")
    with pytest.raises(Conflict, match="alice changed it meanwhile"):
        answer_ask(bob, ask=made.id, words="One.", evidence=ref, version=made.version)
    seen = show_ask(bob, ask=made.id)
    assert (seen.question, seen.status) == ("Four llamas?", "open")
    answer_ask(bob, ask=made.id, words="Four.", evidence=ref, version=seen.version)
    with pytest.raises(Conflict, match="bob answered it meanwhile"):
        withdraw_ask(alice, ask=made.id, version=seen.version)


def test_only_those_who_were_asked_answer(alice, bob):
    (ref,) = add_pictures(alice, 1)
    made = make_ask(bob, question="Llamas?", to="responsible-AI advisor")
    with pytest.raises(Forbidden, match="responsible-AI advisor"):
        answer_ask(alice, ask=made.id, words="No", evidence=ref)
    with pytest.raises(Forbidden):
        decline_ask(alice, ask=made.id, reason="No")


def test_what_is_due_first_comes_first(alice, bob):
    today = date.today()
    made = [
        make_ask(alice, question=f"{days}?", to="responsible-AI advisor", due=due)
        for days, due in ((0, None), (9, today + timedelta(9)), (2, today + timedelta(2)))
    ]
    assert [one.question for one in asks_waiting(bob)] == ["2?", "9?", "0?"]
    assert asks_waiting(bob)[0].due == (today + timedelta(2)).isoformat()
    assert ids(asks_of_mine(alice, limit=2)) == [made[2].id, made[1].id]
    assert ids(asks_of_mine(alice, after=made[1].id)) == [made[0].id]
    with pytest.raises(InvalidInput, match="past"):
        make_ask(alice, question="?", to="researcher", due=today - timedelta(7))


def test_asks_about_a_record_are_found_from_it(alice):
    one, two = add_pictures(alice, 2)
    made = make_ask(alice, question="This?", to="researcher", refs=[one, one])
    assert ids(asks_about(alice, ref=one)) == [made.id]
    assert asks_about(alice, ref=two) == []
    assert make_ask(alice, question="These weights?", to="researcher", refs=["checkpoint/" + "a" * 64]).refs


def test_hostile_words_come_back_as_they_were_written(alice, bob):
    (ref,) = add_pictures(alice, 1)
    made = make_ask(alice, question=HOSTILE, to="responsible-AI advisor")
    assert show_ask(alice, ask=made.id).question == HOSTILE
    assert answer_ask(bob, ask=made.id, words=HOSTILE, evidence=ref).replies[0].words == HOSTILE


@pytest.mark.parametrize(
    "wrong",
    [
        {"question": " "}, {"question": "x" * 2_001}, {"question": "\x00"}, {"refs": ["image/none"]}, {"to": "pirate"},
        {"to": "person/nobody"}, {"to": "viewer"}, {"to": "visitor"}, {"refs": [f"image/{n}" for n in range(21)]},
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused_and_changes_nothing(alice, wrong):
    with pytest.raises((InvalidInput, NotFound)):
        make_ask(alice, **{"question": "Llamas?", "to": "researcher", **wrong})
    assert asks_of_mine(alice) == []


def test_a_viewer_is_refused_and_may_look(either, alice):
    made = make_ask(alice, question="Llamas?", to="researcher")
    viewer = either.as_actor(CHARLIE)
    assert show_ask(viewer, ask=made.id).question == "Llamas?"
    for act in (
        lambda: make_ask(viewer, question="?", to="researcher"), lambda: withdraw_ask(viewer, ask=made.id),
        lambda: answer_ask(viewer, ask=made.id, words="x", evidence="image/1"),
        lambda: decline_ask(viewer, ask=made.id, reason="x"),
        lambda: change_ask(viewer, ask=made.id, version=1, question="x"),
    ):  # fmt: skip
        with pytest.raises(Forbidden):
            act()


def test_what_was_asked_of_a_role_that_nobody_holds_waits_for_the_admins(either, alice):
    made = make_ask(alice, question="Llamas?", to="researcher")
    assert ids(asks_waiting(either)) == [made.id]
    assert unread(either).count == 1
    with either.write() as session:
        session.add(Membership(person="dora", project=either.project, roles=["researcher"], version=1))
    assert asks_waiting(either) == []
    dora = either.as_actor(type(ALICE)("person/dora", "dora", ("researcher",)))
    assert ids(asks_waiting(dora)) == [made.id]


def test_a_member_is_asked_in_person(either, alice):
    with either.write() as session:
        session.add(Membership(person="dora", project=either.project, roles=["researcher"], version=1))
    made = make_ask(alice, question="Llamas?", to="person/dora")
    assert made.to == "person/dora"
    assert ids(asks_waiting(either.as_actor(type(ALICE)("person/dora", "dora", ("viewer",))))) == [made.id]
    assert asks_waiting(either) == []
    with pytest.raises(NotFound):
        make_ask(alice.in_project("00000000-0000-7000-8000-00000000000f"), question="?", to="person/dora")
