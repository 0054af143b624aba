"""A model leaves for other programs: whole, unchanged in what it draws, and never over something that is there."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from sfumato.checkpoints.adapters import read_whole
from sfumato.checkpoints.header import read_header, read_shapes, read_tensors
from sfumato.checkpoints.models import find_model
from sfumato.errors import Conflict, InvalidInput, NotFound, Unsupported
from sfumato.generation import portable
from sfumato.generation.portable import export_model
from sfumato.training import runs

# an environment with torch, onnx, onnxscript and peft, and this one's packages besides
PEERS = Path(os.environ.get("SFUMATO_MODEL_READERS", "/nowhere"))
SHORT = {"samples": 4}


@pytest.fixture
def models(studio, tiny, work_off):
    """A whole model and an adapter of it."""
    known = {one.name for one in runs.list_runs(studio)}
    if "leaving" not in known:
        work_off(studio, runs.train(studio, recipe_name="flow", data="drawn", name="leaving", options=tiny | SHORT))
        work_off(studio, runs.train(studio, recipe_name="lora", data="drawn", name="leaving-beside",
                                    options=tiny | SHORT, parent="leaving"))  # fmt: skip
    return find_model(studio, "leaving"), find_model(studio, "leaving-beside")


def test_safetensors_hold_all_weights_and_whose_they_are(studio, models, work_off, tmp_path):
    for model in models:
        job = work_off(studio, export_model(studio, name=model.name, form="safetensors", target=tmp_path))
        path = tmp_path / f"{model.name}.safetensors"
        assert job.result["path"] == str(path)
        assert job.result["bytes"] == path.stat().st_size
        whole, written = read_whole(model.path), read_tensors(path)
        assert written.keys() == whole.keys()
        assert all(np.array_equal(written[name], whole[name]) for name in whole)
        assert not read_header(path).adapter
        assert read_header(path).parent == model.header.parent


def test_an_adapter_leaves_in_both_layouts(studio, models, work_off, tmp_path):
    peft, kohya = tmp_path / "peft", tmp_path / "one.safetensors"
    assert work_off(studio, export_model(studio, name="leaving-beside", form="peft", target=peft)).status == "done"
    assert json.loads((peft / "adapter_config.json").read_text())["base_model_name_or_path"] == models[0].sha256
    assert work_off(studio, export_model(studio, name="leaving-beside", form="kohya", target=kohya)).status == "done"
    assert "lora_unet_blocks_0_qkv.alpha" in read_shapes(kohya)


def test_what_cannot_be_is_refused_and_nothing_is_overwritten(studio, models, tmp_path, monkeypatch):
    (tmp_path / "there.safetensors").write_bytes(b"mine")
    with pytest.raises(Conflict, match="there already"):
        export_model(studio, name="leaving", form="safetensors", target=tmp_path / "there.safetensors")
    assert (tmp_path / "there.safetensors").read_bytes() == b"mine"
    with pytest.raises(InvalidInput, match="no adapter"):
        export_model(studio, name="leaving", form="kohya", target=tmp_path / "x.safetensors")
    with pytest.raises(InvalidInput, match="does not end with"):
        export_model(studio, name="leaving", form="safetensors", target=tmp_path / "x.onnx")
    with pytest.raises(InvalidInput, match="inside of the workspace"):
        export_model(studio, name="leaving", form="safetensors", target=studio.path / "x.safetensors")
    with pytest.raises(NotFound, match="form of export"):
        export_model(studio, name="leaving", form="pickle", target=tmp_path / "x")
    monkeypatch.setattr(portable, "find_spec", lambda name: None if name == "onnx" else object())
    with pytest.raises(Unsupported, match="needs onnx"):
        export_model(studio, name="leaving", form="onnx", target=tmp_path / "x.onnx")


PEER = """
import sys, torch
from sfumato.actions import Workspace
from sfumato.checkpoints.models import find_model
from sfumato.generation.carrying import carry
from sfumato.generation.engines.torch_local import ARCHITECTURES, build
from pathlib import Path
import peft
with Workspace.open(sys.argv[1]) as workspace:
    out = Path(sys.argv[2])
    whole, beside = (find_model(workspace, name) for name in ("leaving", "leaving-beside"))
    for model in (whole, beside):
        told = carry(model, "onnx", out / f"{model.name}.onnx")
        assert told["difference"] <= told["tolerance"] and Path(told["path"]).stat().st_size > 10_000, told
    carry(beside, "peft", out / "peft")
    net = peft.PeftModel.from_pretrained(build(whole.header, whole.path), out / "peft")
    given = ARCHITECTURES.get("patch_transformer").example(net.base_model.model.options, 2)
    with torch.no_grad():
        drawn, own = net(*given), build(beside.header, beside.path)(*given)
    assert torch.allclose(drawn, own, atol=1e-5) and not torch.allclose(own, build(whole.header, whole.path)(*given))
"""


@pytest.mark.slow
@pytest.mark.skipif(not PEERS.exists(), reason="SFUMATO_MODEL_READERS names no environment with onnx and peft")
def test_onnxruntime_and_peft_draw_what_it_draws(studio, models, tmp_path):
    run = [PEERS / "bin/python", "-c", PEER, studio.path, tmp_path]
    done = subprocess.run(
        run, capture_output=True, text=True, env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    )
    assert done.returncode == 0, done.stderr
