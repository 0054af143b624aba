"""An owner comes by a code that the machine prints, once; what was there is theirs."""

import pytest
from sqlalchemy import select, update

from sfumato.actions import Actor
from sfumato.data.records import Dataset
from sfumato.db import now
from sfumato.errors import Conflict, Forbidden, InvalidInput
from sfumato.generation.records import Image
from sfumato.people.identify import is_team, visitor
from sfumato.people.owner import claim, make_owner_code
from sfumato.people.persons import disable, me
from sfumato.people.projects import create_project, list_projects
from sfumato.people.records import OwnerCode, Person
from tests.people.team import PASSWORD, come, own, seat


def test_a_code_makes_one_owner_and_no_second(either):
    assert (is_team(either), me(either).solo) == (False, True)
    code = make_owner_code(either).code
    entered = claim(either, code=code, login="Olga@Example.org", name="Olga", password=PASSWORD)
    olga = seat(either, entered)
    assert (olga.workspace.actor.name, olga.workspace.actor.roles) == ("Olga", ("admin",))
    assert me(olga.workspace).login == "olga@example.org"
    assert (is_team(either), me(olga.workspace).owner) == (True, True)
    with pytest.raises(Forbidden, match="not good"):
        claim(either, code=code, login="mallory", name="Mallory", password=PASSWORD)
    with either.read() as session:
        assert session.scalars(select(Person.name)).all() == ["Olga"]


def test_a_code_ends_after_an_hour_and_when_a_newer_one_is_made(workspace):
    first = make_owner_code(workspace).code
    second = make_owner_code(workspace).code
    with pytest.raises(Forbidden):
        claim(workspace, code=first, login="olga", name="Olga", password=PASSWORD)
    with workspace.write() as session:
        session.execute(update(OwnerCode).values(expires_at=now()))
    with pytest.raises(Forbidden):
        claim(workspace, code=second, login="olga", name="Olga", password=PASSWORD)


def test_a_code_is_kept_as_its_hash_and_made_at_the_machine_alone(workspace):
    code = make_owner_code(workspace).code
    assert code.encode() not in b"".join(path.read_bytes() for path in workspace.path.glob("workspace.db*"))
    olga = own(workspace)
    for actor in (olga.workspace.actor, visitor(workspace).actor):
        with pytest.raises(Forbidden):
            make_owner_code(workspace.as_actor(actor))


def test_what_the_person_alone_had_in_private_stays_theirs(workspace):
    with workspace.write() as session:
        session.add(Dataset(name="shapes"))
        shown = {"request_id": "r", "seed": 1, "sha256": "5" * 64, "width": 1, "height": 1}
        session.add(Image(place=0, private_to=workspace.actor.id, **shown))
        session.add(Image(place=1, private_to="person/else", **shown))
    olga = own(workspace)
    with olga.workspace.read() as session:
        assert session.scalars(select(Image.place)).all() == [0]
        assert session.scalars(select(Dataset.name)).all() == ["shapes"]
    second = own(workspace, "otto", "Otto")
    with second.workspace.read() as session:
        assert session.scalars(select(Image.place)).all() == []


def test_an_owner_is_an_admin_of_all_projects_that_there_are(workspace):
    create_project(workspace, name="llamas")
    assert [one.name for one in list_projects(own(workspace).workspace)] == ["llamas", "studio"]


def test_the_last_owner_cannot_be_locked_out_and_others_can(workspace):
    olga = own(workspace)
    bob = come(workspace, olga, "Bob", "admin")
    with pytest.raises(Forbidden, match=r"workspace\.care"):
        disable(bob.workspace, person="olga")
    with pytest.raises(Conflict, match="last owner"):
        disable(workspace, person="olga")
    with pytest.raises(Conflict, match="themselves"):
        disable(olga.workspace, person="olga")
    own(workspace, "otto", "Otto")
    disable(workspace, person="olga")


@pytest.mark.parametrize(
    ("login", "name", "password"),
    [("", "Olga", PASSWORD), ("a b", "Olga", PASSWORD), ("olga", " ", PASSWORD), ("olga", "Olga", "short")],
)
def test_what_cannot_be_an_account_is_told_and_spends_no_code(workspace, login, name, password):
    code = make_owner_code(workspace).code
    with pytest.raises(InvalidInput):
        claim(workspace, code=code, login=login, name=name, password=password)
    claim(workspace, code=code, login="olga", name="Olga", password=PASSWORD)


def test_whoever_works_at_the_machine_goes_on_as_before(workspace):
    own(workspace)
    assert me(workspace).permissions == me(workspace.as_actor(Actor("person/x", "x", ("admin",)))).permissions
