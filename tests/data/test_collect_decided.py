"""What was decided outlasts collecting the same source again, and undoing it gives the source its say again."""

import json

from sfumato.data.editing import recaption
from sfumato.data.items import list_items, show_item
from sfumato.data.mending import mend_pixels
from sfumato.data.narrowing import Where
from sfumato.data.verdicts import leave_out, undo


def test_collecting_again_keeps_what_was_decided(workspace, styled, collect):
    folder = styled(3, styles=1)
    collect(path=str(folder))
    first, second, third = list_items(workspace, name="mine")
    leave_out(workspace, name="mine", where=Where(ids=[first.id]))
    named = recaption(workspace, name="mine", captions={second.id: "a thing of ours"})
    lines = [json.loads(line) for line in (folder / "metadata.jsonl").read_text().split("\n")]
    (folder / "metadata.jsonl").write_text("\n".join(json.dumps({**line, "text": "renamed"}) for line in lines))
    collect(path=str(folder))
    assert show_item(workspace, id=first.id).state == "left out"
    assert show_item(workspace, id=second.id).name == "a thing of ours"
    assert show_item(workspace, id=third.id).name == "renamed"
    undo(workspace, id=named.id)
    collect(path=str(folder))
    assert show_item(workspace, id=second.id).name == "renamed"


def test_mended_pixels_outlast_collecting_again(workspace, shapes, collect):
    collect(path=str(shapes))
    item = list_items(workspace, name="mine")[0]
    mend_pixels(workspace, name="mine", where=Where(ids=[item.id]), crop=(0, 0, 0.5, 1))
    mended = show_item(workspace, id=item.id)
    collect(path=str(shapes))
    assert show_item(workspace, id=item.id) == mended


def test_what_is_not_said_again_is_not_taken_back(workspace, shapes, collect):
    collect(path=str(shapes), licence="CC0-1.0", author="Ann")
    (shapes / "red-disc.txt").write_text("a ball")
    collect(path=str(shapes))
    items = list_items(workspace, name="mine")
    assert {(one.licence, one.author) for one in items} == {("CC0-1.0", "Ann")}
    assert "a ball" in {one.name for one in items}
    collect(path=str(shapes), licence="MIT")
    assert {(one.licence, one.author) for one in list_items(workspace, name="mine")} == {("MIT", "Ann")}
