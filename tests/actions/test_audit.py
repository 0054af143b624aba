"""The log as auditors read it: filtered, a part at a time, and closed to others."""

from datetime import UTC, datetime, timedelta

import pytest

from sfumato.actions import Actor
from sfumato.actions.audit import audit, show_event
from sfumato.errors import Forbidden, NotFound
from sfumato.people.asks import make_ask
from sfumato.people.comments import write_comment
from sfumato.people.projects import create_project
from sfumato.people.tour import go_to_step
from tests.crew import ALICE, BOB


def done(workspace):
    """Three things by two people."""
    asked = make_ask(workspace.as_actor(ALICE), question="Which?", to="role/researcher")
    write_comment(workspace.as_actor(BOB), about=asked.ref, text="This one")
    write_comment(workspace.as_actor(ALICE), about=asked.ref, text="Thanks")
    return asked


def test_it_is_read_newest_first_a_part_at_a_time(either):
    done(either)
    first = audit(either, limit=2)
    assert [row.action for row in first] == ["comment.write", "comment.write"]
    assert [row.action for row in audit(either, limit=2, after=first[-1].position)] == ["ask.make"]


def test_it_is_narrowed_by_who_what_and_which_record(either):
    asked = done(either)
    assert [row.made_by for row in audit(either, made_by=BOB.id)] == [BOB.id]
    assert {row.action for row in audit(either, action="comment.")} == {"comment.write"}
    assert [row.subject for row in audit(either, action="ask.make")] == [asked.ref]
    assert len(audit(either, subject=asked.ref)) == 1
    assert len(audit(either, subject="comment/")) == 2


def test_it_is_narrowed_by_time(either):
    done(either)
    moment = datetime.now(UTC)
    assert len(audit(either, since=moment - timedelta(hours=1), until=moment + timedelta(hours=1))) == 3
    assert audit(either, until=moment - timedelta(hours=1)) == []
    assert audit(either, since=moment + timedelta(hours=1)) == []
    assert len(audit(either, since=datetime.min, until=datetime.max, after=2**70)) == 3


def test_what_concerns_no_project_is_for_who_cares_for_the_workspace(either):
    done(either)
    create_project(either, name="Other")
    assert [row.action for row in audit(either, outside=True)] == ["project.create"]
    position = audit(either, outside=True)[0].position
    assert show_event(either, position=position).action == "project.create"
    assert "project.create" not in {row.action for row in audit(either)}
    advisor = either.as_actor(BOB)
    assert len(audit(advisor)) == 3
    with pytest.raises(Forbidden):
        audit(advisor, outside=True)
    with pytest.raises(Forbidden):
        show_event(advisor, position=position)


def test_what_is_private_to_somebody_is_theirs_alone(either):
    go_to_step(either.as_actor(BOB), step=2)
    assert audit(either, outside=True) == []
    with pytest.raises(NotFound):
        show_event(either, position=1)


def test_another_project_has_a_log_of_its_own(either):
    done(either)
    other = create_project(either, name="Other")
    assert audit(either.in_project(other.id)) == []


def test_a_viewer_reads_no_log(either):
    with pytest.raises(Forbidden):
        audit(either.as_actor(Actor("person/vic", "Vic", ("viewer",))))


@pytest.mark.parametrize("position", [0, -1, 999, 2**70])
def test_an_event_that_is_not_there_is_said(either, position):
    with pytest.raises(NotFound):
        show_event(either, position=position)
