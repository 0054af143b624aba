"""Anybody of the team says something on any record, mends it or takes it back; nobody puts words in another's mouth."""

import pytest

from sfumato.errors import Conflict, Forbidden, InvalidInput, NotFound
from sfumato.people.asks import make_ask
from sfumato.people.comments import comments_on, edit_comment, withdraw_comment, write_comment
from sfumato.people.notices import unread
from tests.crew import ALICE, BOB, CHARLIE, HOSTILE, add_pictures


@pytest.fixture
def alice(either):
    """The workspace as Alice sees it."""
    return either.as_actor(ALICE)


@pytest.fixture
def bob(either):
    """The same workspace as Bob sees it."""
    return either.as_actor(BOB)


def said(workspace, about):
    """What stands on a record."""
    return [(one.by_name, one.text) for one in comments_on(workspace, about=about)]


def test_comments_stand_in_order_and_an_edit_keeps_its_place(alice, bob):
    (ref,) = add_pictures(alice, 1)
    first = write_comment(alice, about=ref, text="A sheep.")
    write_comment(bob, about=ref, text="A llama.")
    changed = edit_comment(alice, comment=first.id, text="A goat.")
    assert said(bob, ref) == [("alice", "A goat."), ("bob", "A llama.")]
    assert changed.edited_at is not None
    assert changed.made_at == first.made_at
    again = edit_comment(alice, comment=changed.id, text="A yak.")
    withdraw_comment(alice, comment=again.id)
    assert said(bob, ref) == [("bob", "A llama.")]


def test_pages_follow_each_other(alice):
    (ref,) = add_pictures(alice, 1)
    for number in range(5):
        write_comment(alice, about=ref, text=str(number))
    first = comments_on(alice, about=ref, limit=2)
    rest = comments_on(alice, about=ref, after=first[-1].first)
    assert [one.text for one in [*first, *rest]] == ["0", "1", "2", "3", "4"]


def test_an_edit_of_what_was_changed_meanwhile_is_told(alice):
    (ref,) = add_pictures(alice, 1)
    first = write_comment(alice, about=ref, text="A sheep.")
    edit_comment(alice, comment=first.id, text="A goat.")
    with pytest.raises(Conflict, match="changed or taken back meanwhile"):
        edit_comment(alice, comment=first.id, text="A yak.")
    with pytest.raises(Conflict):
        withdraw_comment(alice, comment=first.id)
    assert said(alice, ref) == [("alice", "A goat.")]


def test_only_its_author_changes_a_comment_and_an_admin_may_take_it_back(alice, bob, either):
    (ref,) = add_pictures(alice, 1)
    made = write_comment(alice, about=ref, text="A sheep.")
    for act in (lambda: edit_comment(bob, comment=made.id, text="No"), lambda: withdraw_comment(bob, comment=made.id),
                lambda: edit_comment(either, comment=made.id, text="No")):  # fmt: skip
        with pytest.raises(Forbidden):
            act()
    withdraw_comment(either, comment=made.id)
    assert said(alice, ref) == []


def test_who_made_it_or_was_asked_is_told(alice, bob):
    (ref,) = add_pictures(alice, 1)
    write_comment(bob, about=ref, text="A fine llama.")
    assert [one.summary for one in unread(alice).notices] == ["commented: A fine llama."]
    assert unread(bob).count == 0
    ask = make_ask(alice, question="Another?", to="responsible-AI advisor")
    write_comment(alice, about=ask.ref, text="Soon, please.")
    assert unread(bob).notices[0].summary == "commented: Soon, please."


def test_hostile_words_come_back_as_they_were_written(alice):
    (ref,) = add_pictures(alice, 1)
    write_comment(alice, about=ref, text=HOSTILE)
    assert said(alice, ref) == [("alice", HOSTILE)]


def test_what_cannot_be_is_refused(alice):
    (ref,) = add_pictures(alice, 1)
    for text in ("", "x" * 2_001, "\ud800"):
        with pytest.raises(InvalidInput):
            write_comment(alice, about=ref, text=text)
    with pytest.raises(NotFound):
        write_comment(alice, about="image/none", text="?")
    with pytest.raises(NotFound):
        edit_comment(alice, comment="none", text="?")


def test_a_viewer_may_comment_and_changes_no_other(either, alice):
    (ref,) = add_pictures(alice, 1)
    made = write_comment(alice, about=ref, text="A sheep.")
    viewer = either.as_actor(CHARLIE)
    write_comment(viewer, about=ref, text="A goat.")
    assert said(viewer, ref) == [("alice", "A sheep."), ("charlie", "A goat.")]
    with pytest.raises(Forbidden):
        withdraw_comment(viewer, comment=made.id)
    nobody = either.as_actor(type(CHARLIE)("person/eve", "eve", ("no such role",)))
    with pytest.raises(Forbidden):
        write_comment(nobody, about=ref, text="A yak.")


def test_what_is_said_of_something_private_is_as_private(alice, bob):
    (ref,) = add_pictures(alice, 1, private=True, by=ALICE)
    made = write_comment(alice, about=ref, text="Mine.")
    assert said(alice, ref) == [("alice", "Mine.")]
    for act in (lambda: said(bob, ref), lambda: write_comment(bob, about=ref, text="Oh."),
                lambda: edit_comment(bob, comment=made.id, text="Oh.")):  # fmt: skip
        with pytest.raises(NotFound):
            act()
