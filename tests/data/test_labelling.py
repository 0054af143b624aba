"""Pictures are labelled one after the other, each answer is a decision that can be undone, and nobody answers twice."""

import pytest

from sfumato.actions import Actor
from sfumato.cli import entry
from sfumato.data.items import show_item
from sfumato.data.labelling import (
    close_labelling,
    label,
    label_last,
    label_next,
    label_skip,
    list_labellings,
    make_labelling,
    show_labelling,
)
from sfumato.data.narrowing import Where
from sfumato.data.verdicts import undo
from sfumato.errors import Conflict, InvalidInput, NotFound


@pytest.fixture
def task(workspace, shapes, collect):
    """A task on the four discs."""
    collect(path=str(shapes), licence="MIT")
    where = Where(words="disc")
    asked = {"question": "Which hue?", "column": "hue", "choices": ["warm", "cold"]}
    make_labelling(workspace, name="mine", labelling="hue", where=where, **asked)
    return workspace, {"name": "mine", "labelling": "hue"}


def test_pictures_are_answered_one_after_the_other_and_progress_is_told(task):
    workspace, which = task
    first, second, third = label_next(workspace, **which, count=3)
    decision = label(workspace, **which, id=first.id, answer="warm", revision=first.revision)
    assert (decision.name, decision.n) == ("hue: warm", 1)
    assert show_item(workspace, id=first.id).attributes == {"hue": "warm"}
    label(workspace, **which, id=second.id, answer="cold")
    label_skip(workspace, **which, id=third.id)
    told = show_labelling(workspace, **which)
    assert (told.n, told.answered, told.skipped, told.left) == (4, 2, 1, 1)
    assert told.counts == {"warm": 1, "cold": 1}
    assert len(label_next(workspace, **which, count=9)) == 1
    assert list_labellings(workspace, name="mine") == [told]


def test_the_last_answer_is_taken_back_and_the_picture_waits_again(task):
    workspace, which = task
    (first,) = label_next(workspace, **which)
    label(workspace, **which, id=first.id, answer="warm")
    assert label_next(workspace, **which)[0].id != first.id
    undo(workspace, id=label_last(workspace, **which).id)
    assert label_next(workspace, **which)[0].id == first.id
    assert show_item(workspace, id=first.id).attributes == {}
    with pytest.raises(NotFound, match="answered nothing here"):
        label_last(workspace, **which)


def test_two_people_do_not_answer_the_same_picture(task):
    workspace, which = task
    (first,) = label_next(workspace, **which)
    bea = workspace.as_actor(Actor("person/bea", "bea", ("data scientist",)))
    label(bea, **which, id=first.id, answer="warm", revision=first.revision)
    with pytest.raises(Conflict, match="bea has answered this picture: hue: warm"):
        label(workspace, **which, id=first.id, answer="cold", revision=first.revision)
    with pytest.raises(NotFound):
        label_last(workspace, **which)
    assert label_last(bea, **which).by_name == "bea"


def test_a_caption_is_answered_in_free_words_also_where_it_is_so_already(workspace, shapes, collect):
    collect(path=str(shapes), licence="MIT")
    which = {"name": "mine", "labelling": "captions"}
    make_labelling(workspace, **which, question="What is it?", column="name")
    (first,) = label_next(workspace, **which)
    assert label(workspace, **which, id=first.id, answer=first.name).n == 1
    (second,) = label_next(workspace, **which)
    label(workspace, **which, id=second.id, answer="  a  thing ")
    assert show_item(workspace, id=second.id).name == "a thing"
    assert show_labelling(workspace, **which).counts == {}


def test_what_cannot_be_asked_or_answered_is_told(task):
    workspace, which = task
    (first,) = label_next(workspace, **which)
    with pytest.raises(NotFound, match="no answer 'hot'"):
        label(workspace, **which, id=first.id, answer="hot")
    with pytest.raises(NotFound, match="There is no labelling task 'hues'"):
        show_labelling(workspace, name="mine", labelling="hues")
    with pytest.raises(Conflict, match="a task 'hue' already"):
        make_labelling(workspace, **which, question="?", column="x", choices=["a", "b"])
    for wrong in ({"column": "x"}, {"column": "name", "choices": ["a", "b"]}):
        with pytest.raises(InvalidInput):
            make_labelling(workspace, name="mine", labelling="other", question="?", **wrong)
    close_labelling(workspace, **which)
    with pytest.raises(Conflict, match="is closed"):
        label(workspace, **which, id=first.id, answer="warm")
    assert not close_labelling(workspace, **which, closed=False).closed


def test_the_commands_label(task, capsys, monkeypatch):
    workspace, _ = task
    (first,) = label_next(workspace, name="mine", labelling="hue")
    for arguments, told in (
        (("next", "mine", "hue"), first.id),
        (("answer", "mine", "hue", first.id[-12:], "warm"), "Hue: warm (1 picture) in mine."),
        (("show", "mine", "hue"), "1 of 4"),
        (("undo", "mine", "hue"), "Took back: hue: warm"),
        (("skip", "mine", "hue", first.id[-12:]), "Hue: skipped"),
        (("list", "mine"), "0 of 4"),
        (("close", "mine", "hue"), "closed"),
        (("make", "mine", "new", "--question", "What?", "--column", "name"), "0 of 12"),
    ):
        assert entry.main(["data", "label", *arguments]) == 0, arguments
        assert told in capsys.readouterr().out
