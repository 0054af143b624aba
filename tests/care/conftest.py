"""Workspaces with pictures, a run with checkpoints, and jobs: small, but each file and row is a real one."""

from pathlib import Path

import pytest

from tests.care.made import add_run, collect_into, draw_pictures
from tests.pictured import embedded, pictured, studio_folder  # noqa: F401


@pytest.fixture
def pictures(tmp_path) -> Path:
    """A folder of six pictures with captions and licences."""
    return draw_pictures(tmp_path / "pictures")


@pytest.fixture
def filled(workspace, pictures):
    """A workspace with the dataset `mine`, frozen, and the run `tiny` with three checkpoints and a model."""
    collect_into(workspace, pictures)
    add_run(workspace)
    return workspace


@pytest.fixture
def filled_either(either, pictures):
    """The same, on SQLite and on PostgreSQL."""
    collect_into(either, pictures)
    add_run(either)
    return either
