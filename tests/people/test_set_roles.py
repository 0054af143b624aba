"""Members and their roles: changed by admins, at once, and never over somebody else's change."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import select

from sfumato.actions.records import Event
from sfumato.data.collect import list_datasets
from sfumato.errors import Busy, Conflict, Forbidden, NotFound
from sfumato.people.identify import person_of_session, person_of_token
from sfumato.people.members import add_member, list_members, remove_member, set_roles
from sfumato.people.projects import create_project
from sfumato.people.tokens import make_token
from tests.people.team import come, own, seat


@pytest.fixture
def olga(workspace):
    return own(workspace)


def member(workspace, name):
    return next(one for one in list_members(workspace) if one.name == name)


def test_roles_are_changed_and_hold_from_the_next_moment(workspace, olga):
    bob = come(workspace, olga, "Bob", "viewer")
    changed = set_roles(olga.workspace, person="bob", roles=["researcher", "data scientist"])
    assert changed.roles == ["data scientist", "researcher"]
    assert person_of_session(workspace, bob.entered.secret).roles == ("data scientist", "researcher")
    with workspace.read() as session:
        event = session.scalars(select(Event).where(Event.action == "people.set_roles")).one()
    assert (event.subject, event.details) == (bob.entered.person, {"before": ["viewer"], "after": changed.roles})


def test_of_two_who_change_the_same_the_second_is_told_who_was_first(either):
    olga = own(either)
    bob = come(either, olga, "Bob", "viewer")
    otto = own(either, "otto", "Otto")
    seen_by_olga, seen_by_otto = member(olga.workspace, "Bob"), member(otto.workspace, "Bob")
    set_roles(otto.workspace, person=bob.id, roles=["researcher"], version=seen_by_otto.version)
    with pytest.raises(Conflict, match=r"Otto changed this on .* Nothing was overwritten") as told:
        set_roles(olga.workspace, person=bob.id, roles=["admin"], version=seen_by_olga.version)
    assert "again" in told.value.hint
    assert member(olga.workspace, "Bob").roles == ["researcher"]
    with pytest.raises(Conflict, match="Otto"):
        remove_member(olga.workspace, person=bob.id, version=seen_by_olga.version)
    now = member(olga.workspace, "Bob").version
    set_roles(olga.workspace, person=bob.id, roles=["admin"], version=now)


def test_of_two_who_change_the_same_at_the_very_same_moment_one_is_told(either):
    olga = own(either)
    bob = come(either, olga, "Bob", "viewer")
    otto = own(either, "otto", "Otto")
    version, together = member(either, "Bob").version, threading.Barrier(2)

    def change(seat, role):
        together.wait()
        try:
            return set_roles(seat.workspace, person=bob.id, roles=[role], version=version).roles
        except Conflict as told:
            return told.message

    with ThreadPoolExecutor(2) as pool:
        ended = list(pool.map(change, (olga, otto), ("researcher", "admin")))
    [told] = [one for one in ended if isinstance(one, str)]
    [won] = [one for one in ended if not isinstance(one, str)]
    assert "Nothing was overwritten" in told
    assert (member(either, "Bob").roles, member(either, "Bob").version) == (won, version + 1)


def test_of_two_admins_who_leave_at_the_same_moment_one_stays(either):
    olga = own(either)
    bob = come(either, olga, "Bob", "admin")
    together = threading.Barrier(2)

    def leave(person):
        together.wait()
        try:
            return remove_member(either, person=person)
        except (Conflict, Busy) as told:
            return told

    with ThreadPoolExecutor(2) as pool:
        ended = list(pool.map(leave, (olga.id, bob.id)))
    assert sum(one is None for one in ended) == 1
    assert len(list_members(either)) == 1


def test_giving_the_same_roles_changes_nothing(workspace, olga):
    come(workspace, olga, "Bob", "viewer")
    before = member(workspace, "Bob")
    assert set_roles(olga.workspace, person="bob", roles=["viewer"], version=before.version) == before


def test_the_last_admin_stays_one(workspace, olga):
    bob = come(workspace, olga, "Bob", "viewer")
    for verb in (lambda: set_roles(workspace, person="olga", roles=["viewer"]),
                 lambda: remove_member(workspace, person="olga")):  # fmt: skip
        with pytest.raises(Conflict, match="last admin"):
            verb()
    set_roles(olga.workspace, person=bob.id, roles=["admin"])
    remove_member(seat(workspace, bob.entered).workspace, person="olga")
    assert [one.name for one in list_members(workspace)] == ["Bob"]
    assert person_of_session(workspace, olga.entered.secret).roles == ()


def test_who_is_taken_out_holds_no_role_and_no_token_for_the_project(workspace, olga):
    bob = come(workspace, olga, "Bob", "viewer")
    token = make_token(bob.workspace, name="script", scopes=["record.read"]).secret
    assert person_of_token(workspace, token) is not None
    remove_member(olga.workspace, person="bob")
    assert person_of_token(workspace, token) is None
    with pytest.raises(Forbidden):
        list_datasets(seat(workspace, bob.entered).workspace)
    with pytest.raises(NotFound, match="no member"):
        remove_member(olga.workspace, person="bob")


def test_who_has_an_account_is_let_into_another_project_by_its_admin(workspace, olga):
    bob, eve = come(workspace, olga, "Bob", "admin"), come(workspace, olga, "Eve", "viewer")
    llamas = workspace.in_project(create_project(bob.workspace, name="llamas").id)
    inside = seat(llamas, bob.entered).workspace
    assert add_member(inside, person="eve", roles=["researcher"]).roles == ["researcher"]
    assert seat(llamas, eve.entered).workspace.actor.roles == ("researcher",)
    with pytest.raises(Conflict, match="already"):
        add_member(inside, person=eve.id, roles=["viewer"])
    with pytest.raises(NotFound, match="Invite"):
        add_member(inside, person="nobody", roles=["viewer"])


def test_only_admins_change_roles_and_only_in_their_project(workspace, olga):
    bob, eve = come(workspace, olga, "Bob", "admin"), come(workspace, olga, "Eve", "ML engineer")
    with pytest.raises(Forbidden, match=r"people\.write"):
        set_roles(eve.workspace, person="eve", roles=["admin"])
    llamas = create_project(olga.workspace, name="llamas").id
    for reach in (bob.workspace.in_project(llamas), seat(workspace.in_project(llamas), bob.entered).workspace):
        with pytest.raises(Forbidden):
            add_member(reach, person="bob", roles=["admin"])
