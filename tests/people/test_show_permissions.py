"""The table of who may do what is whole, and says what each permission lets one do."""

import pytest

from sfumato.actions import ACTIONS, QUERIES, Actor, allowed
from sfumato.actions.permissions import ABOUT, ASSIGNABLE, PERMISSIONS, ROLES, VISITOR, held, may
from sfumato.jobs.queue import cancel_job
from sfumato.people.identify import visitor
from sfumato.people.roles import show_permissions

EXPECTED = {  # beside what everybody may
    "data scientist": {"dataset.write"},
    "ML engineer": {"dataset.write", "training.write", "evaluation.write", "model.promote"},
    "researcher": {"training.write", "evaluation.write"},
    "prompt designer": set(),
    "responsible-AI advisor": {"audit.read", "keys.write", "criterion.write"},
    "analytics translator": {"evaluation.write"},
    "product manager": {"model.promote", "criterion.write"},
}
MEMBERS = {"ask.write", "image.create", "image.publish", "review.write"}


@pytest.mark.parametrize("role", EXPECTED)
def test_each_desk_holds_what_it_needs_and_nothing_else(role):
    assert ROLES[role] == ROLES["viewer"] | MEMBERS | EXPECTED[role]


def test_a_viewer_changes_nothing_but_may_comment_and_an_admin_may_everything():
    own = {"account.enter", "account.read", "comment.write", "token.write"}
    assert ROLES["viewer"] == own | {"record.read", "job.read", "job.cancel"}
    assert ROLES["admin"] == set(PERMISSIONS)
    assert ROLES[VISITOR] == {"account.enter", "account.read"}
    assert VISITOR not in ASSIGNABLE


def test_the_table_says_each_role_and_permission_in_a_sentence(workspace):
    table = show_permissions(visitor(workspace))
    assert [one.name for one in table.roles] == list(ABOUT)
    assert {one.name for one in table.permissions} == set(PERMISSIONS)
    assert all(one.about.endswith(".") and one.about[0].isupper() for one in [*table.roles, *table.permissions])
    for one in table.permissions:
        assert [role for role in ASSIGNABLE if may((role,), one.name)] == one.roles


def test_every_verb_needs_a_permission_of_the_table():
    assert {verb.needs for verb in [*ACTIONS.values(), *QUERIES.values()] if not verb.name.startswith("test.")} <= set(
        PERMISSIONS
    )


def test_roles_add_up_and_unknown_ones_hold_nothing(workspace):
    assert held(("researcher", "data scientist")) == ROLES["researcher"] | ROLES["data scientist"]
    assert held(("king",)) == frozenset()
    assert not allowed(workspace.as_actor(Actor("person/x", "x", ("king",))), "record.read")
    assert cancel_job.needs == "job.cancel"
