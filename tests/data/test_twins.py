"""The same bytes again under another source: they are told, and what people left out does not come back unseen."""

import shutil

import pytest

from sfumato.data.freeze import freeze
from sfumato.data.history import item_history, list_decisions
from sfumato.data.items import list_items
from sfumato.data.narrowing import Where
from sfumato.data.verdicts import keep, leave_out, undo


def again(folder, name, n=12):
    """Some of a folder's pictures, in a folder of another name."""
    there = folder.parent / name
    there.mkdir()
    for path in sorted(folder.glob("*.png"))[:n]:
        shutil.copyfile(path, there / path.name)
    return there


def of(workspace, source, state="all"):
    return [one for one in list_items(workspace, name="mine", state=state) if one.source == source]


def test_bytes_that_are_here_already_are_counted(workspace, shapes, collect):
    assert collect(path=str(shapes)).n == 12
    assert "byte for byte" not in collect.result["say"]
    assert collect(path=str(again(shapes, "more", n=3))).n == 15
    assert collect.result["counts"]["twins"] == 3
    assert "3 are byte for byte pictures that are here already. " in collect.result["say"]
    assert list_decisions(workspace, name="mine") == []


def test_two_files_of_one_upload_with_the_same_bytes_are_counted_once(workspace, shapes, collect):
    first = sorted(shapes.glob("*.png"))[0]
    shutil.copyfile(first, shapes / "zzz.png")
    collect(path=str(shapes))
    assert "1 is byte for byte a picture that is here already. " in collect.result["say"]


def test_bytes_that_were_left_out_come_as_left_out_with_the_reason_and_can_be_brought_in(workspace, shapes, collect):
    collect(path=str(shapes))
    first, second = sorted(list_items(workspace, name="mine"), key=lambda one: one.key)[:2]
    leave_out(workspace, name="mine", where=Where(ids=[first.id, second.id]), reason="they are blurred")
    assert collect(path=str(again(shapes, "more", n=4))).n == 12
    assert "4 are byte for byte pictures that are here already, 2 of them left out again" in collect.result["say"]
    gone = of(workspace, "folder more", state="left out")
    assert {one.sha256 for one in gone} == {first.sha256, second.sha256}
    decision = list_decisions(workspace, name="mine")[0]
    assert decision.name == "left out 2 pictures, since their very bytes were left out before"
    touched = item_history(workspace, id=gone[0].id).decisions[0]
    assert touched.decision.id == decision.id
    assert "the same bytes were left out on " in touched.reason
    assert touched.reason.endswith(": they are blurred")
    assert freeze(workspace, name="mine").n == 12, "the two others of the four are copies that nobody has left out"
    undo(workspace, id=decision.id)
    assert {one.state for one in of(workspace, "folder more")} == {"kept"}
    assert {one.revision for one in of(workspace, "folder more") if one.id in {two.id for two in gone}} == {3}


def test_what_was_brought_back_comes_in_as_anything_does(workspace, shapes, collect):
    collect(path=str(shapes))
    first = min(list_items(workspace, name="mine"), key=lambda one: one.key)
    leave_out(workspace, name="mine", where=Where(ids=[first.id]))
    keep(workspace, name="mine", where=Where(ids=[first.id]))
    collect(path=str(again(shapes, "more", n=1)))
    assert [one.state for one in of(workspace, "folder more")] == ["kept"]


def test_another_dataset_is_none_of_its_business(workspace, shapes, collect):
    collect(path=str(shapes))
    leave_out(workspace, name="mine", where=Where(words="red"))
    collect(path=str(again(shapes, "more")), into="other")
    assert "byte for byte" not in collect.result["say"]
    assert {one.state for one in list_items(workspace, name="other", state="all")} == {"kept"}


@pytest.mark.parametrize("batch", [2, 500])
def test_one_decision_is_made_of_all_that_a_job_leaves_out_again(workspace, shapes, collect, monkeypatch, batch):
    monkeypatch.setattr("sfumato.data.jobs.BATCH", batch)
    collect(path=str(shapes))
    leave_out(workspace, name="mine", where=Where(state="kept"))
    collect(path=str(again(shapes, "more")))
    assert [one.n for one in list_decisions(workspace, name="mine")] == [12, 12]
    assert "12 are byte for byte pictures that are here already, and were left out again" in collect.result["say"]
    assert list_items(workspace, name="mine") == []
    collect(path=str(shapes.parent / "more"))
    assert collect.result["say"].startswith("Nothing changed")
