"""Decisions on a dataset's pictures are made, looked at and taken back from the command line."""

import json
import shutil

import pytest

from sfumato.actions import Workspace
from sfumato.cli import entry
from sfumato.data.records import Item
from tests.data.curated import found, ids_of


@pytest.fixture
def mine(settings, collected):
    """A dataset of twelve pictures, in the workspace that the environment names."""
    shutil.copytree(collected, settings.workspace)
    return "mine"


def said(capsys, *arguments):
    """What a command says as JSON."""
    assert entry.main(["data", *arguments, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def words(capsys, *arguments):
    """What a command says to a person."""
    assert entry.main(["data", *arguments]) == 0
    return " ".join(capsys.readouterr().out.split())


def test_pictures_are_left_out_looked_at_and_taken_back(mine, capsys):
    assert words(capsys, "leave-out", mine, "--words", "red", "--dry-run").startswith(
        "This would leave out 3 pictures of mine. Nothing was changed."
    )
    out = words(capsys, "leave-out", mine, "--words", "red", "--because", "too red")
    assert out.startswith("Left out 3 pictures (words red) in mine. To take it back: sfumato data undo ")
    decision = out.split()[-1]
    assert "too red" in words(capsys, "history", mine)
    assert "state: kept → left out" in words(capsys, "decision", decision)
    item = said(capsys, "decision", decision)["items"][0]["item_id"]
    assert "left out 3 pictures" in words(capsys, "history", mine, "--item", item)
    assert said(capsys, "keep", mine, "--ids", item[-12:])["n"] == 1
    assert entry.main(["data", "undo", decision]) == 5
    told = " ".join(capsys.readouterr().err.split())
    assert "1 later decision changed the same of its pictures: 'kept 1 picture'" in told


def test_what_may_be_no_copy_is_told_and_left_to_a_person(mine, settings, capsys):
    with Workspace.open(settings=settings) as workspace:
        ids = ids_of(workspace)
        with workspace.write() as session:
            for one in ids[:5]:
                session.get(Item, one).name = "the same"
        found(workspace, dict.fromkeys(ids[:2], "near_copies"), group="one")
        found(workspace, {ids[2]: "near_copies"}, group="two")
        found(workspace, {ids[3]: "near_copies"}, group="two", details={"doubt": "A part of them differs"})
    assert "Maybe no copy. A part of them differs. " in words(capsys, "groups", mine)
    assert [one["group"] for one in said(capsys, "groups", mine, "--doubtful")] == ["two"]
    would = words(capsys, "keep-best", mine, "--by", "first", "--dry-run")
    assert would == "This would keep the first of 1 group, leave out 1 picture. Nothing was changed."
    assert said(capsys, "keep-best", mine, "--dry-run", "--doubtful")["left_out"] == 2
    out = words(capsys, "keep-best", mine, "--by", "first")
    assert out.startswith("Kept the first of a group of copies, left out 1 picture (2 pictures) in mine.")
    assert out.endswith("in doubt: 1. `sfumato data groups mine --check near_copies --doubtful` shows them.")
    assert entry.main(["data", "keep-best", mine]) == 3
    assert "in doubt: 1 picture" in capsys.readouterr().err
    assert "left out 1 picture" in words(capsys, "keep-best", mine, "--doubtful")
    assert entry.main(["data", "keep-best", mine, "--by", "nicest"]) != 0


def test_captions_are_shown_before_they_change(mine, capsys):
    how = ("captions", mine, "--words", "disc", "--find", "disc", "--replace", "circle")
    shown = said(capsys, *how, "--dry-run")
    assert (shown["n"], shown["of"]) == (4, 4)
    assert "red circle" in words(capsys, *how, "--dry-run")
    assert said(capsys, *how, "--yes")["n"] == 4
    item = shown["first"][0]["item_id"]
    assert words(capsys, "caption", mine, item[-12:], "a round thing", "--tags", "round, thing").startswith(
        "Changed the captions of 1 picture in mine."
    )


def test_all_that_is_known_can_be_changed(mine, capsys):
    every = (mine, "--everything", "--yes")
    for command in (
        ("relicense", every[0], "CC0-1.0", "--proof", "a letter", *every[1:]),
        ("consent", every[0], "given", *every[1:]),
        ("attributes", *every, "--set", "age=new"),
        ("weights", every[0], "2", *every[1:]),
        ("family", every[0], "one", *every[1:]),
        ("crop", every[0], "0,0,1,0.5", *every[1:]),
        ("rotate", every[0], "90", *every[1:]),
    ):
        assert said(capsys, *command)["n"] == 12, command
    assert len(said(capsys, "history", mine)) == 7
    assert said(capsys, "show", mine)["dataset"]["licences"] == {"CC0-1.0": 12}


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (("leave-out",), 2, "Say which pictures are meant."),
        (("leave-out", "--words", "elephant"), 3, "No picture of 'mine' is meant by that."),
        (("keep", "--range", "sharpness"), 2, "is no NAME=VALUE"),
        (("keep", "--range", "sharpness=a..b"), 2, "is no NAME=LOW..HIGH"),
        (("keep", "--range", "sharpness=nan..nan"), 2, "is no NAME=LOW..HIGH"),
        (("keep", "--range", "sharpness=0..inf"), 2, "is no NAME=LOW..HIGH"),
        (("keep", "--ids", "0000"), 3, "There is no single picture '0000'"),
        (("crop", "1,2,3", "--everything"), 2, "is no LEFT,TOP,RIGHT,BOTTOM"),
        (("rotate", "45", "--everything"), 2, "cannot be turned by 45°"),
        (("consent", "perhaps", "--everything"), 3, "There is no consent 'perhaps'."),
    ],
)
def test_what_cannot_be_is_told_with_its_exit_code(mine, capsys, arguments, code, told):
    command, *more = arguments
    assert entry.main(["data", command, mine, *more]) == code
    assert told in " ".join(capsys.readouterr().err.split())


def test_a_saved_slice_says_which_pictures_are_meant(mine, capsys):
    assert "3 pictures" in words(capsys, "save-slice", mine, "reds", "--words", "red")
    would = words(capsys, "leave-out", mine, "--slice", "reds", "--dry-run")
    assert would.startswith("This would leave out 3 pictures of mine.")
    fewer = words(capsys, "leave-out", mine, "--slice", "reds", "--range", "width=100000..", "--dry-run")
    assert "would leave out 0 pictures" in words(capsys, "leave-out", mine, "--range", "width=1", "--dry-run")
    assert "0 pictures" in fewer
    assert entry.main(["data", "leave-out", mine, "--slice", "rads"]) == 3
    assert "reds" in capsys.readouterr().err
