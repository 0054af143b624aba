"""A GAN's generator leaves for small devices, and only where LiteRT's own interpreter draws what torch draws.

SFUMATO_LITERT_PYTHON names the interpreter of an environment with torch and litert-torch.
"""

import os
import sys
from pathlib import Path

import pytest

from sfumato.checkpoints.models import find_model
from sfumato.errors import InvalidInput, Unsupported
from sfumato.generation.litert import TOLERANCE
from sfumato.generation.portable import export_model
from sfumato.training import runs

PEER = Path(os.environ.get("SFUMATO_LITERT_PYTHON", "/nowhere"))  # read before a test forgets all settings
TINY = {"samples": 4, "batch": 2, "held_out": 4, "width": 16, "most": 16, "latent": 4}


@pytest.fixture
def generator(studio, work_off):
    """A generator that has seen four pictures."""
    if "one-call" not in {one.name for one in runs.list_runs(studio)}:
        work_off(studio, runs.train(studio, recipe_name="r3gan", data="drawn", name="one-call", options=TINY))
    return find_model(studio, "one-call")


def test_what_cannot_be_written_is_refused_before_a_job_begins(studio, generator, tmp_path, monkeypatch):
    monkeypatch.delenv("SFUMATO_LITERT_PYTHON", raising=False)
    with pytest.raises(Unsupported, match="none is named"):
        export_model(studio, name=generator.name, form="litert", target=tmp_path)
    monkeypatch.setenv("SFUMATO_LITERT_PYTHON", "/nowhere/python")
    with pytest.raises(Unsupported, match="cannot be run"):
        export_model(studio, name=generator.name, form="litert", target=tmp_path)
    with pytest.raises(InvalidInput, match="draws in many steps"):
        export_model(studio, name="emoji-styles-small", form="litert", target=tmp_path)
    assert not list(tmp_path.iterdir())


def test_an_environment_without_litert_says_what_to_install(studio, generator, work_off, tmp_path, monkeypatch):
    monkeypatch.setenv("SFUMATO_LITERT_PYTHON", sys.executable)
    job = work_off(studio, export_model(studio, name=generator.name, form="litert", target=tmp_path))
    assert job.status == "failed"
    assert "cannot write LiteRT" in job.error["message"]
    assert not list(tmp_path.iterdir())


@pytest.mark.slow
@pytest.mark.skipif(not PEER.exists(), reason="SFUMATO_LITERT_PYTHON names no interpreter with litert-torch")
def test_the_interpreter_draws_what_torch_draws(studio, generator, work_off, tmp_path, monkeypatch):
    monkeypatch.setenv("SFUMATO_LITERT_PYTHON", str(PEER))
    job = work_off(studio, export_model(studio, name=generator.name, form="litert", target=tmp_path))
    assert job.status == "done", job.error
    assert job.result["difference"] <= TOLERANCE == 1e-5
    assert job.result["inputs"] == {"z": [1, 4], "text": [1, 20, 384], "text_mask": [1, 20]}
    written = Path(job.result["path"])
    assert (written.name, written.read_bytes()[4:8]) == ("one-call.tflite", b"TFL3")
