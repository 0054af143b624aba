"""A model that comes along, and two people beside each other in one workspace."""

import pytest

from tests.crew import ALICE, BOB
from tests.pictured import embedded  # noqa: F401


@pytest.fixture
def alice(either):
    """The workspace as Alice sees it."""
    return either.as_actor(ALICE)


@pytest.fixture
def bob(either):
    """The same workspace as Bob sees it."""
    return either.as_actor(BOB)
