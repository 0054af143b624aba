"""Who may do what, through which door: roles × actions × doors, made from the list of actions and the API's own words.

A new action or query is part of this as soon as it is registered, a new role or permission as soon as the table has it.
"""

import pytest
from sqlalchemy import select

from docs.write import registered
from sfumato.actions import Workspace
from sfumato.actions.permissions import ASSIGNABLE, PERMISSIONS, ROLES
from sfumato.actions.records import Event
from sfumato.actions.registry import ACTIONS, QUERIES
from tests.web.roles import SCOPES_AT_THE_DOOR, Door, everybody, through_the_door, through_the_function

DOORS = {"api", "cli", "library", "web"}
INSIDE = [
    "owner", *ASSIGNABLE, "visitor", "admin elsewhere", *(f"token for {scope}" for scope in sorted(PERMISSIONS))
]  # fmt: skip
NOBODY = ["expired token", "revoked token", "expired session", "revoked session"]
AT_THE_DOOR = [
    "owner", *ASSIGNABLE, "visitor", *NOBODY, *(f"token for {one}" for one in SCOPES_AT_THE_DOOR)
]  # fmt: skip


@pytest.fixture(scope="module")
def shared(tmp_path_factory, place):
    with Workspace.open(settings=place(tmp_path_factory.mktemp("matrix") / "workspace")) as workspace:
        yield workspace


@pytest.fixture(scope="module")
def comers(shared):
    return everybody(shared)


@pytest.fixture(scope="module")
def door(shared, comers):
    made = Door(shared)
    with made.client:
        yield made


def test_every_verb_and_every_role_has_its_place_in_the_table():
    verbs = registered()
    ours = {name for name, run in (ACTIONS | QUERIES).items() if run.__module__.startswith("sfumato.")}
    assert {verb.name for verb in verbs} >= ours  # other tests register verbs of their own
    assert not [verb.name for verb in verbs if verb.needs not in PERMISSIONS], "permissions that the table lacks"
    assert not [verb.name for verb in verbs if set(verb.doors) - DOORS], "doors that nobody knows"
    assert set(PERMISSIONS) == {verb.needs for verb in verbs}, "permissions that nothing needs"
    assert set().union(*ROLES.values()) <= set(PERMISSIONS)


def test_the_matrix_meets_everybody(comers):
    assert set(INSIDE) | set(NOBODY) == set(comers)


def test_the_api_tells_of_each_address_the_permission_that_the_verb_needs(door):
    needs = {verb.name: verb.needs for verb in registered()}
    told = {name: said.get("x-permission") for name, _, _, said in door.addresses}
    assert {name: needs[name] for name in told if name in needs} == {name: told[name] for name in told if name in needs}
    assert told["data.upload"] == needs["data.collect"]


@pytest.mark.whole
@pytest.mark.parametrize("who", AT_THE_DOOR)
def test_at_the_api_everybody_may_exactly_what_the_table_says(door, comers, who):
    assert through_the_door(door, comers[who]) == []


def test_who_is_of_another_project_does_what_they_do_there_and_leaves_no_trace_here(door, shared, comers):
    erik = comers["admin elsewhere"]
    assert through_the_door(door, erik) == []
    with shared.read() as session:
        assert not session.scalars(select(Event.action).where(Event.made_by == erik.actor.id)).all()
    with shared.in_project(erik.actor.project).read() as session:
        assert session.scalars(select(Event.action).where(Event.made_by == erik.actor.id)).all()


@pytest.mark.parametrize("who", INSIDE)
def test_as_a_function_every_verb_takes_exactly_those_whom_the_table_names(shared, comers, who):
    assert through_the_function(shared, comers[who]) == []


def test_what_has_ended_is_nobody(comers):
    assert [comers[name].actor for name in NOBODY] == [None] * len(NOBODY)
