"""An invitation lets one person into one project, once, while it is good."""

from datetime import timedelta

import pytest
from sqlalchemy import select, update

from sfumato.actions.records import Event
from sfumato.db import now
from sfumato.errors import Conflict, Forbidden, InvalidInput, NotFound
from sfumato.people.invitations import (
    accept_invitation,
    invite,
    invited_to,
    join,
    list_invitations,
    revoke_invitation,
)
from sfumato.people.members import list_members
from sfumato.people.names import names_of
from sfumato.people.projects import create_project, list_projects
from sfumato.people.records import Invitation, Person
from tests.people.team import PASSWORD, come, own, seat


@pytest.fixture
def olga(workspace):
    return own(workspace)


def accept(workspace, code, login="bob"):
    return accept_invitation(workspace, code=code, login=login, name="Bob", password=PASSWORD)


def test_who_is_invited_comes_in_with_the_roles_that_were_meant(either):
    olga = own(either)
    made = invite(olga.workspace, roles=["viewer", "data scientist"], note="Bob from data")
    bob = seat(either, accept(either, made.code))
    assert bob.workspace.actor.roles == ("data scientist", "viewer")
    [known] = list_invitations(olga.workspace)
    assert (known.state, known.note, known.roles) == ("used", "Bob from data", ["data scientist", "viewer"])
    assert [(one.name, one.roles) for one in list_members(bob.workspace)] == [
        ("Bob", ["data scientist", "viewer"]), ("Olga", ["admin"]),
    ]  # fmt: skip


def test_the_project_is_the_invitations_whatever_is_looked_at(workspace, olga):
    llamas = workspace.in_project(create_project(olga.workspace, name="llamas").id)
    code = invite(workspace.in_project(llamas.project), roles=["viewer"]).code
    assert invited_to(workspace, code=code) == llamas.project
    entered = accept(workspace, code)
    assert seat(workspace, entered).workspace.actor.roles == ()
    assert seat(llamas, entered).workspace.actor.roles == ("viewer",)


def test_a_code_is_good_once_until_it_ends_or_is_taken_back(workspace, olga):
    used, late, back = (invite(olga.workspace, roles=["viewer"]) for _ in range(3))
    accept(workspace, used.code)
    with workspace.write() as session:
        over = update(Invitation).where(Invitation.id == late.invitation.id)
        session.execute(over.values(expires_at=now() - timedelta(seconds=1)))
    assert revoke_invitation(olga.workspace, invitation=back.invitation.id).state == "revoked"
    for code in (used.code, late.code, back.code, "", "made up"):
        with pytest.raises(Forbidden, match="not good"):
            accept(workspace, code, "mallory")
    assert {one.state for one in list_invitations(olga.workspace)} == {"used", "expired", "revoked"}
    with pytest.raises(Conflict):
        revoke_invitation(olga.workspace, invitation=used.invitation.id)
    with workspace.read() as session:
        assert set(session.scalars(select(Person.login))) == {"olga", "bob"}


def test_a_sign_in_name_is_given_once_and_the_code_stays_good(workspace, olga):
    code = invite(olga.workspace, roles=["viewer"]).code
    with pytest.raises(Conflict, match="taken"):
        accept(workspace, code, "OLGA")
    accept(workspace, code, "bob")


def test_who_has_an_account_joins_another_project_with_it(workspace, olga):
    bob = come(workspace, olga, "Bob", "viewer")
    llamas = workspace.in_project(create_project(olga.workspace, name="llamas").id)
    code = invite(llamas, roles=["researcher"]).code
    assert join(bob.workspace, code=code) == llamas.project
    assert seat(llamas, bob.entered).workspace.actor.roles == ("researcher",)
    assert [one.name for one in list_projects(bob.workspace)] == ["llamas", "studio"]
    second = invite(llamas, roles=["admin"]).code
    with pytest.raises(Conflict, match="member"):
        join(bob.workspace, code=second)
    with pytest.raises(Forbidden, match="Nobody is signed in"):
        join(workspace, code=second)


def test_only_who_looks_after_people_invites_and_sees_who_is_invited(workspace, olga):
    bob = come(workspace, olga, "Bob", "product manager")
    for verb in (lambda: invite(bob.workspace, roles=["viewer"]), lambda: list_invitations(bob.workspace)):
        with pytest.raises(Forbidden, match=r"people\.write"):
            verb()


@pytest.mark.parametrize(
    ("more", "error"),
    [({"roles": []}, InvalidInput), ({"roles": ["amdin"]}, NotFound), ({"roles": ["visitor"]}, NotFound),
     ({"roles": ["viewer"], "days": 0}, InvalidInput), ({"roles": ["viewer"], "days": 400}, InvalidInput)],
)  # fmt: skip
def test_what_cannot_be_an_invitation_is_told(workspace, olga, more, error):
    with pytest.raises(error):
        invite(olga.workspace, **more)


def test_names_live_with_the_people_and_not_in_the_log(workspace, olga):
    bob = come(workspace, olga, "Bob", "viewer")
    assert names_of(workspace, [bob.entered.person, "person/ada", "person/0198c0de-0000-7000-8000-000000000000"]) == {
        bob.entered.person: "Bob", "person/ada": "ada", "person/0198c0de-0000-7000-8000-000000000000": "somebody",
    }  # fmt: skip
    with workspace.db.read() as session:
        said = str([(row.summary, row.details) for row in session.scalars(select(Event))])
    assert "Bob" not in said
    assert "bob" not in said
