"""The same studio on PostgreSQL: roles at the door, and two servers that tell each other what happens."""

import pytest

from sfumato.actions import Workspace
from sfumato.people.comments import write_comment
from tests.crew import add_pictures
from tests.web.roles import Door, everybody, through_the_door
from tests.web.test_events import hub_of, listening, read, served

pytestmark = pytest.mark.postgres


@pytest.fixture
def shared(settings, postgresql_url):
    with Workspace.open(settings=settings, database_url=postgresql_url) as opened:
        yield opened


def test_roles_may_on_postgresql_exactly_what_the_table_says(shared):
    comers = everybody(shared)
    door = Door(shared)
    with door.client:
        for who in ("viewer", "product manager", "visitor"):
            assert through_the_door(door, comers[who]) == []


def test_what_happens_at_one_server_reaches_those_who_listen_at_another(shared, settings, postgresql_url):
    ref = add_pictures(shared, 1)[0]
    with (
        Workspace.open(settings=settings, database_url=postgresql_url) as other,
        served(other) as (client, server),
        listening(client, hub_of(server)) as lines,
    ):
        write_comment(shared, about=ref, text="a fine llama")
        assert read(lines, 1)[0][2]["action"] == "comment.write"
