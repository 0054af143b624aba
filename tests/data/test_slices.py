"""Slices: saved by name, counted anew, replaced only when asked, forgotten without touching a picture."""

import math

import pytest
from pydantic import ValidationError

from sfumato.actions import action
from sfumato.actions.registry import ACTIONS
from sfumato.data.collect import find_dataset
from sfumato.data.narrowing import Where
from sfumato.data.slices import drop_slice, list_slices, save_slice, where_of
from sfumato.errors import Conflict, InvalidInput, NotFound
from sfumato.jobs.queue import enqueue, list_jobs
from tests.web.stocked import stock


def test_a_slice_is_saved_counted_and_found_again(workspace):
    stock(workspace, "mine", 6)
    save_slice(workspace, name="mine", slice_name=" flat  ones ", where=Where(style="flat"))
    assert [(one.name, one.n) for one in list_slices(workspace, name="mine")] == [("flat ones", 3)]
    with workspace.read() as session:
        assert where_of(session, find_dataset(session, "mine"), "flat ones") == Where(style="flat")


def test_a_name_that_is_taken_is_refused_unless_it_is_to_be_replaced(workspace):
    stock(workspace, "mine", 2)
    save_slice(workspace, name="mine", slice_name="one", where=Where(style="flat"))
    with pytest.raises(Conflict, match="already"):
        save_slice(workspace, name="mine", slice_name="one", where=Where(style="noto"))
    save_slice(workspace, name="mine", slice_name="one", where=Where(words="none"), replace=True)
    assert [one.n for one in list_slices(workspace, name="mine")] == [0]


def test_what_cannot_be_a_slice_is_told(workspace):
    stock(workspace, "mine", 2)
    with pytest.raises(InvalidInput, match="needs a name"):
        save_slice(workspace, name="mine", slice_name="  ", where=Where(style="flat"))
    with pytest.raises(InvalidInput, match="everything"):
        save_slice(workspace, name="mine", slice_name="all", where=Where())


def test_a_slice_is_forgotten_and_its_pictures_stay(workspace):
    stock(workspace, "mine", 2)
    save_slice(workspace, name="mine", slice_name="one", where=Where(style="flat"))
    assert drop_slice(workspace, name="mine", slice_name="one").n == 1
    assert list_slices(workspace, name="mine") == []
    with pytest.raises(NotFound, match="slice"):
        drop_slice(workspace, name="mine", slice_name="one")


@pytest.mark.parametrize("bound", [math.nan, math.inf, -math.inf])
def test_a_bound_is_a_number_that_a_database_can_keep(bound):
    with pytest.raises(ValidationError, match="finite"):
        Where(ranges={"width": (bound, None)})


def test_a_job_takes_no_number_that_a_database_cannot_keep(workspace):
    @action("test.ask", needs="dataset.write", doors=())
    def ask(act):
        return enqueue(act, kind="data.check", spec={"n": math.nan}, key="x")

    ACTIONS.pop("test.ask")
    with pytest.raises(InvalidInput, match="no end"):
        ask(workspace)
    assert list_jobs(workspace) == []
