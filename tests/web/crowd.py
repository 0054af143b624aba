"""A team for the tests of pages: Owen owns the workspace, Dana is a data scientist, Vic a viewer."""

import pytest

from sfumato.people.invitations import accept_invitation, invite
from sfumato.people.owner import claim, make_owner_code
from tests.web.conftest import open_studio
from tests.web.test_team import PASSWORD


@pytest.fixture
def crew(workspace):
    claim(workspace, code=make_owner_code(workspace).code, login="owen", name="Owen", password=PASSWORD)
    for login, role in (("vic", "viewer"), ("dana", "data scientist")):
        code = invite(workspace, roles=[role]).code
        accept_invitation(workspace, code=code, login=login, name=login.title(), password=PASSWORD)
    return workspace


@pytest.fixture
def door(crew):
    with open_studio(crew) as client:
        yield client
