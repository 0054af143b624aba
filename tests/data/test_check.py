"""Checks go over a dataset: they propose, remove nothing, find the same only once, and go on after a kill."""

import pytest
from sqlalchemy import func, select

from sfumato.data.findings import list_findings
from sfumato.data.records import Appearance, Finding, Item
from sfumato.data.scan import check as ask
from sfumato.data.scan import list_scans
from sfumato.errors import InvalidInput, NotFound
from sfumato.jobs.queue import ended_well, get_job
from sfumato.jobs.worker import run_worker
from tests.data.made_pictures import picture


@pytest.fixture
def check(workspace):
    """A function that checks "mine" and returns what the job said."""

    def run(**options):
        job = ask(workspace, name="mine", **options)
        run_worker(workspace, only_job=job.id)
        return ended_well(get_job(workspace, job_id=job.id)).result

    return run


def count(workspace, table):
    with workspace.read() as session:
        return session.scalar(select(func.count(table.id)))


def test_what_is_odd_is_proposed_and_nothing_is_removed(workspace, shapes, collect, check):
    picture().resize((60, 10)).save(shapes / "long.png")
    collect(path=str(shapes))
    said = check(only=["odd_aspect"])
    assert (said["n"], said["found"]) == (13, {"odd_aspect": 1})
    [found] = list_findings(workspace, name="mine")
    assert (found.item_name, found.check, found.state) == ("long.png", "odd_aspect", "open")
    assert "60 × 10 pixels, 6.0 to 1" in found.reason
    with workspace.read() as session:
        assert set(session.scalars(select(Item.state))) == {"kept"}
    [scan] = list_scans(workspace, name="mine")
    assert (scan.n, scan.found, scan.settings) == (13, {"odd_aspect": 1}, {"odd_aspect": {"above": 2.5}})


def test_checking_again_finds_the_same_once_and_what_is_mended_is_gone(workspace, shapes, collect, check):
    picture().resize((60, 10)).save(shapes / "long.png")
    collect(path=str(shapes))
    check(only=["odd_aspect"])
    with workspace.read() as session:
        before = session.scalar(select(Finding.id))
    assert check(only=["odd_aspect"])["found"] == {"odd_aspect": 1}
    with workspace.read() as session:
        assert session.scalars(select(Finding.id)).all() == [before]
    assert (count(workspace, Appearance), len(list_scans(workspace, name="mine"))) == (13, 2)
    picture().save(shapes / "long.png")
    collect(path=str(shapes))
    assert check(only=["odd_aspect"])["gone"] == {"odd_aspect": 1}
    assert list_findings(workspace, name="mine") == []
    assert [one.id for one in list_findings(workspace, name="mine", state="gone")] == [before]
    picture().resize((60, 10)).save(shapes / "long.png")
    collect(path=str(shapes))
    check(only=["odd_aspect"])
    assert [one.id for one in list_findings(workspace, name="mine")] == [before], "it is the same one, open again"


def test_what_a_decision_settled_does_not_come_back(workspace, shapes, collect, check):
    picture().resize((60, 10)).save(shapes / "long.png")
    collect(path=str(shapes))
    check(only=["odd_aspect"])
    with workspace.write() as session:
        session.scalars(select(Finding)).one().state = "settled"
    check(only=["odd_aspect"])
    assert list_findings(workspace, name="mine") == []
    assert len(list_findings(workspace, name="mine", state="settled")) == count(workspace, Finding) == 1


def test_what_cannot_be_asked_for_is_told_with_the_nearest(workspace, shapes, collect):
    collect(path=str(shapes))
    with pytest.raises(NotFound, match="Did you mean 'mine'"):
        ask(workspace, name="mime")
    with pytest.raises(NotFound, match="Did you mean 'odd_aspect'"):
        ask(workspace, name="mine", only=["odd_aspct"])
    with pytest.raises(NotFound, match="Did you mean 'above'"):
        ask(workspace, name="mine", only=["odd_aspect"], options={"odd_aspect": {"abov": 3}})
    with pytest.raises(InvalidInput, match=r"'above' cannot be 0\.5"):
        ask(workspace, name="mine", only=["odd_aspect"], options={"odd_aspect": {"above": 0.5}})
    with pytest.raises(NotFound, match="no check 'blurr'"):
        ask(workspace, name="mine", only=["odd_aspect"], options={"blurr": {}})
    with pytest.raises(InvalidInput, match="no place in this list"):
        list_findings(workspace, name="mine", after="x")
