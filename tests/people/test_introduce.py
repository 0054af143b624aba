"""Who works alone says what they are called, at which desks they work, and what the project is called."""

import pytest

from sfumato.errors import Conflict, Forbidden, InvalidInput, NotFound
from sfumato.people.identify import local_actor
from sfumato.people.members import list_members
from sfumato.people.names import names_of
from sfumato.people.persons import introduce, me, rename
from sfumato.people.projects import show_project
from tests.people.team import come, own


def test_a_name_several_roles_and_a_project_are_kept(either):
    assert me(either).introduced is False
    said = introduce(either, name=" Ada  Lovelace ", roles=["prompt designer", "researcher"], project="emoji")
    assert (said.name, said.roles, said.solo) == ("Ada Lovelace", ["admin", "researcher", "prompt designer"], True)
    actor = local_actor(either)
    assert (actor.id, actor.name, actor.roles) == (either.actor.id, "Ada Lovelace", tuple(said.roles))
    assert show_project(either).name == "emoji"
    assert names_of(either, [either.actor.id]) == {either.actor.id: "Ada Lovelace"}
    assert [one.roles for one in list_members(either)] == [["researcher", "prompt designer"]]
    introduce(either, name="Ada", roles=["viewer"])
    assert local_actor(either).roles == ("admin", "viewer")
    assert (me(either).introduced, show_project(either).name) == (True, "emoji")


@pytest.mark.parametrize(
    ("more", "error"),
    [({"name": ""}, InvalidInput), ({"name": "a\x1bb"}, InvalidInput), ({"roles": []}, InvalidInput),
     ({"roles": ["painter"]}, NotFound), ({"project": "x" * 200}, InvalidInput)],
)  # fmt: skip
def test_what_cannot_be_is_told_and_nothing_is_kept(workspace, more, error):
    with pytest.raises(error):
        introduce(workspace, **({"name": "Ada", "roles": ["viewer"]} | more))
    assert me(workspace).introduced is False


def test_who_signs_in_changes_their_name_and_is_not_overwritten_by_an_older_page(workspace):
    olga = own(workspace)
    with pytest.raises(Forbidden):
        introduce(olga.workspace, name="Olga", roles=["viewer"])
    version = me(olga.workspace).version
    assert rename(olga.workspace, name="Olga of Kyiv", version=version).name == "Olga of Kyiv"
    with pytest.raises(Conflict, match="Olga of Kyiv changed this"):
        rename(olga.workspace, name="Olya", version=version)
    assert names_of(workspace, [olga.entered.person]) == {olga.entered.person: "Olga of Kyiv"}


def test_a_viewer_sees_who_they_are_and_what_they_may(workspace):
    bob = come(workspace, own(workspace), "Bob", "viewer")
    one = me(bob.workspace)
    assert (one.solo, one.owner, one.introduced) == (False, False, True)
    assert "comment.write" in one.permissions
    assert "image.create" not in one.permissions
