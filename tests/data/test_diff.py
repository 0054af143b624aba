"""Two frozen versions are compared in words and picture by picture, with what was decided between."""

import pytest

from sfumato.data.diff import diff, list_differing
from sfumato.data.editing import recaption, set_weights
from sfumato.data.freeze import freeze
from sfumato.data.items import list_items
from sfumato.data.mending import mend_pixels
from sfumato.data.narrowing import Where
from sfumato.data.verdicts import leave_out
from sfumato.errors import InvalidInput, NotFound
from tests.data.made_pictures import picture


@pytest.fixture
def mine(workspace, shapes, collect):
    collect(path=str(shapes), licence="MIT")
    return workspace


def test_what_came_went_and_changed_is_told_with_who_decided_it(mine, shapes, collect):
    first = freeze(mine, name="mine")
    picture("white", "bar").save(shapes / "gold-disc.png")
    picture("black").save(shapes / "black-disc.png")
    collect(path=str(shapes), licence="MIT")
    by_name = {item.name: item for item in list_items(mine, name="mine")}
    gone = leave_out(mine, name="mine", where=Where(words="blue"))
    recaption(mine, name="mine", captions={by_name["red disc"].id: "a red disc"})
    mend_pixels(mine, name="mine", where=Where(ids=[by_name["green disc"].id]), crop=(0, 0, 1, 0.5))
    set_weights(mine, name="mine", where=Where(ids=[by_name["gold bar"].id]), weight=2)
    second = freeze(mine, name="mine")
    found = diff(mine, first=first.label, second=second.label)
    assert (found.added, found.removed, found.same) == (1, 3, 5), found
    assert found.changed == {"pixels": 2, "caption": 1, "weight": 1}
    assert (found.licences.before, found.licences.after) == ({"MIT": 12}, {"MIT": 10})
    assert f"From {first.label} to {second.label}: 1 came, 3 went, 2 changed pixels" in found.says
    assert f"Decided between: {gone.name} ({gone.by_name})" in found.says
    assert len(found.decisions) == 4
    both = {"first": first.label, "second": second.label}
    changed = {one.item_id: one.changes for one in list_differing(mine, **both, kind="changed")}
    assert changed[by_name["red disc"].id] == {"name": ("red disc", "a red disc")}
    assert set(changed[by_name["green disc"].id]) == {"sha256"}
    assert changed[by_name["gold bar"].id] == {"weight": (1.0, 2.0)}
    removed = list_differing(mine, first=first.label, second=second.label, kind="removed")
    assert {one.item_id for one in removed} == {by_name[f"blue {shape}"].id for shape in ("disc", "bar", "square")}
    assert [one.place for one in removed] == [0, 1, 2]
    part = list_differing(mine, first=first.label, second=second.label, kind="removed", start=1, count=1)
    assert part == removed[1:2]
    (added,) = list_differing(mine, first=first.label, second=second.label)
    assert added.name == ""
    back = diff(mine, first=second.label, second=first.label)
    assert (back.added, back.removed) == (3, 1)


def test_a_version_and_itself_hold_the_same_and_what_is_unknown_is_told(mine):
    first = freeze(mine, name="mine")
    assert diff(mine, first="mine", second=first.label).says == f"{first.label} and {first.label} hold the same."
    with pytest.raises(NotFound):
        diff(mine, first="mine@00000000", second="mine")
    with pytest.raises(InvalidInput, match="no difference called"):
        list_differing(mine, first="mine", second="mine", kind="gone")
