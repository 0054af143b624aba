"""An action is permitted or refused, whole or not at all, and leaves one event; a query leaves none."""

import dataclasses
import subprocess
import sys

import pytest
from sqlalchemy import select

from sfumato.actions import Act, Actor, action, query, to_json
from sfumato.actions.permissions import ROLES, may
from sfumato.actions.records import Event
from sfumato.db import Link, link
from sfumato.errors import Forbidden
from sfumato.jobs.queue import handed_on

ALICE = Actor("person/alice", "alice", ("data scientist",))
BOB = Actor("person/bob", "bob", ("viewer",))
CHARLIE = Actor("person/charlie", "charlie", ("no such role",))
WRITERS = """
import sys
from tests.actions.test_act import draw
from sfumato.actions import Workspace
with Workspace.open(create=False) as workspace:
    print("ready", flush=True)
    sys.stdin.readline()
    for number in range(20):
        try:
            draw(workspace, child=f"{sys.argv[1]} {number}", fail=number % 4 == 3)
        except ZeroDivisionError:
            pass
"""


@action("test.draw", needs="dataset.write", doors=())
def draw(act: Act, *, child: str, fail: bool = False) -> str:
    """Write a link, and say so if it is new."""
    there = act.session.get(Link, (child, "model/1", "drawn by"))
    link(act.session, child, "model/1", "drawn by")
    if there is None:
        act.says(f"drew {child}", subject=child, seed=7)
    if fail:
        raise ZeroDivisionError
    return child


@query("test.drawn", doors=())
def drawn(act: Act) -> list[str]:
    """What has been drawn."""
    act.says("looked")
    return sorted(act.session.scalars(select(Link.child)))


@query("test.meddle", doors=())
def meddle(act: Act) -> None:
    """A query that tries to write."""
    link(act.session, "image/9", "model/1", "drawn by")
    act.session.flush()


def events(workspace):
    with workspace.read() as session:
        return session.scalars(select(Event).order_by(Event.position)).all()


def test_an_action_changes_something_and_leaves_one_event(either):
    assert draw(either.as_actor(ALICE), child="image/1") == "image/1"
    [event] = events(either)
    assert (event.position, event.action, event.made_by) == (1, "test.draw", "person/alice")
    assert (event.subject, event.summary, event.details) == ("image/1", "drew image/1", {"seed": 7})
    assert drawn(either) == ["image/1"]


def test_an_action_that_changes_nothing_and_a_query_leave_no_event(workspace):
    draw(workspace, child="image/1")
    draw(workspace, child="image/1")
    drawn(workspace)
    assert len(events(workspace)) == 1


def test_an_action_that_fails_changes_nothing(either):
    with pytest.raises(ZeroDivisionError):
        draw(either, child="image/1", fail=True)
    assert (drawn(either), events(either)) == ([], [])


def test_a_query_changes_nothing_even_if_it_tries(either):
    meddle(either)
    assert drawn(either) == []


@pytest.mark.parametrize("actor", [BOB, CHARLIE, Actor("person/dan", "dan", ())])
def test_what_is_not_granted_is_denied_and_names_the_permission(workspace, actor):
    with pytest.raises(Forbidden, match=r"dataset\.write"):
        draw(workspace.as_actor(actor), child="image/1")
    assert (drawn(workspace), events(workspace)) == ([], [])


def test_reading_needs_a_role_as_well(workspace):
    assert drawn(workspace.as_actor(BOB)) == []
    with pytest.raises(Forbidden):
        drawn(workspace.as_actor(CHARLIE))


def test_every_permission_that_an_action_needs_is_granted_to_somebody_and_all_to_an_admin():
    from sfumato.actions import ACTIONS, QUERIES

    needed = {one.needs for one in [*ACTIONS.values(), *QUERIES.values()]}
    assert needed <= ROLES["admin"]
    assert not may(("viewer",), "dataset.write")
    assert not may((), "record.read")


def test_positions_have_no_gaps_when_several_processes_write_at_once(either):
    writing = [
        subprocess.Popen(
            [sys.executable, "-c", WRITERS, name], env=handed_on(either),
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )
        for name in ("alice", "bob", "charlie")
    ]  # fmt: skip
    for one in writing:
        assert one.stdout.readline() == "ready\n", one.communicate()[1]
    for one in writing:
        one.stdin.write("go\n")
        one.stdin.flush()
    said = [one.communicate(timeout=120)[1] for one in writing]
    assert [one.returncode for one in writing] == [0, 0, 0], said
    found = events(either)
    assert [event.position for event in found] == list(range(1, 46))
    assert sorted(event.subject for event in found) == drawn(either)
    for name in ("alice", "bob", "charlie"):
        own = [int(event.subject.split()[1]) for event in found if event.subject.startswith(name)]
        assert own == [number for number in range(20) if number % 4 != 3]


def test_results_become_plain_json(workspace):
    from sfumato.jobs import JobView

    person = {"id": "person/alice", "name": "alice", "roles": ["data scientist"], "project": None, "scopes": ["a", "b"]}
    alice = dataclasses.replace(ALICE, scopes=frozenset("ba"))
    assert to_json({1: [alice, workspace.path]}) == {"1": [person, str(workspace.path)]}
    assert "asked_at" in JobView.__dataclass_fields__
