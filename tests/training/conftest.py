"""A workspace with a small frozen dataset, and runs of it that are worked off in this very process."""

import pytest

from sfumato.jobs.queue import get_job
from sfumato.jobs.run import run_attempt
from sfumato.jobs.worker import claim
from tests.drawn import material_of, opened_studio

TINY = {
    "size": 16, "patch": 4, "width": 64, "depth": 1, "batch": 4, "samples": 32, "held_out": 4,
    "checkpoint_every": 16, "preview_every": 16,
}  # fmt: skip


@pytest.fixture(scope="session")
def studio(tmp_path_factory):
    """A workspace with the dataset `drawn`, frozen."""
    with opened_studio(tmp_path_factory.mktemp("training")) as workspace:
        yield workspace


@pytest.fixture(scope="session")
def material(studio):
    """The dataset as runs of 16 pixels learn from it."""
    return material_of(studio, TINY["size"])


@pytest.fixture(scope="session")
def tiny():
    """Options of a run that takes a second."""
    return dict(TINY)


@pytest.fixture(scope="session")
def work_off():
    """Run one attempt of a job here and now, and return how it ended."""

    def run(workspace, job):
        taken = claim(workspace, "test", (), job.id, 30.0)
        assert taken is not None
        run_attempt(workspace, taken.id, taken.attempt)
        return get_job(workspace, job_id=job.id)

    return run


@pytest.fixture
def trained(studio, tiny, work_off):
    """Train a run of a name to its end, with these options besides the tiny ones; returns the ended job."""
    from sfumato.training import runs

    def train(name, *, parent=None, **options):
        asked = runs.train(
            studio, recipe_name="flow", data="drawn", name=name, options=tiny | options, parent=parent
        )
        return work_off(studio, asked)

    return train
