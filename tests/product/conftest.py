"""A model that came along, its pictures, and two people beside each other in one workspace."""

import pytest

from sfumato.checkpoints import models
from sfumato.checkpoints.models import find_model
from tests.crew import ALICE, BOB
from tests.pictured import embedded  # noqa: F401


@pytest.fixture
def alice(either, embedded, monkeypatch):  # noqa: F811
    """The workspace as Alice sees it, beside a model that came along."""
    monkeypatch.setattr(models, "EMBEDDED", embedded)
    return either.as_actor(ALICE)


@pytest.fixture
def bob(alice):
    """The same workspace as Bob sees it."""
    return alice.as_actor(BOB)


@pytest.fixture
def weights(alice):
    """The reference of the weights of the model that came along."""
    return find_model(alice).ref
