"""Thinning copies: one picture of each group stays by a rule, as one decision that is taken back as a whole."""

import pytest

from sfumato.data.findings import list_groups
from sfumato.data.records import Item
from sfumato.data.thinning import thin
from sfumato.data.verdicts import undo
from sfumato.errors import NotFound
from tests.data.curated import decided_on, found, rows
from tests.web.stocked import stock


@pytest.fixture
def copies(workspace):
    """Three copies of growing size, one of them with another finding, and a pair."""
    ids = sorted(stock(workspace, "mine", 5))
    with workspace.write() as session:
        for place, one in enumerate(ids):
            session.get(Item, one).width = 10 + place
    found(workspace, dict.fromkeys(ids[:3], "near_copies"), group="a")
    found(workspace, dict.fromkeys(ids[3:], "near_copies"), group="b")
    found(workspace, {ids[2]: "blur"})
    return ids


def states(workspace):
    return [row["state"] for row in rows(workspace)]


def test_the_largest_of_each_group_stays_and_its_other_findings_too(workspace, copies):
    done = thin(workspace, name="mine", keep="largest")
    assert done.name == "left out 3 copies, kept the largest of 2 groups"
    assert states(workspace) == ["left out", "left out", "kept", "left out", "kept"]
    assert [state for check, state, _ in decided_on(workspace) if check == "near_copies"] == ["settled"] * 5
    assert [state for check, state, _ in decided_on(workspace) if check == "blur"] == ["open"]
    assert list_groups(workspace, name="mine") == []
    with pytest.raises(NotFound, match="no copies"):
        thin(workspace, name="mine")


def test_one_group_alone_is_thinned_and_all_is_as_before_when_it_is_undone(workspace, copies):
    before = rows(workspace, without=("revision", "edited"))
    done = thin(workspace, name="mine", keep="largest", group="b")
    assert states(workspace).count("left out") == 1
    undo(workspace, id=done.id)
    assert rows(workspace, without=("revision", "edited")) == before
    assert len(list_groups(workspace, name="mine")) == 2
