"""A model leaves as a folder of diffusers' own classes, and diffusers alone draws the same picture with it.

SFUMATO_DIFFUSERS_PYTHON names the interpreter of an environment with torch, diffusers and transformers.
"""

import json
import os
import subprocess
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from PIL import Image
from safetensors.numpy import load_file, save_file

from sfumato.checkpoints.adapters import read_whole
from sfumato.checkpoints.header import read_header
from sfumato.checkpoints.models import DEFAULT, find_model
from sfumato.errors import Conflict, InvalidInput
from sfumato.features.encoders import minilm
from sfumato.generation import stock
from sfumato.generation.drawing import Plan, Told, to_straight, walk
from sfumato.generation.engines import torch_local
from sfumato.generation.knowledge import Understood
from sfumato.generation.portable import export_model
from sfumato.models.architectures import pixart
from sfumato.training import runs
from sfumato.training.adopting import adopt

PEER = Path(os.environ.get("SFUMATO_DIFFUSERS_PYTHON", "/nowhere"))  # read before a test forgets all settings
SHAPE = {"size": 16, "patch": 4, "width": 64, "depth": 2}
CAPTION, SEED = "red disc, plain style", 7


@pytest.fixture(scope="module")
def model(studio, tmp_path_factory):
    """A small network of the class, with weights that let it draw something."""
    torch.manual_seed(0)
    net = pixart.build(pixart.Options(**SHAPE))
    for weight in net.parameters():
        torch.nn.init.normal_(weight, std=0.06)
    path = tmp_path_factory.mktemp("stock") / "net.safetensors"
    save_file({name: one.detach().numpy() for name, one in net.named_parameters()}, path)
    adopt(studio, path=path, name="stock", architecture="pixart", options=SHAPE, data="drawn", licence="MIT")
    return find_model(studio, "stock")


@pytest.fixture
def folder(studio, model, work_off, tmp_path):
    """It as a folder of diffusers."""
    job = work_off(studio, export_model(studio, name="stock", form="diffusers", target=tmp_path / "out"))
    assert job.status == "done", job.error
    assert job.result["path"] == str(tmp_path / "out")
    assert "use_resolution_binning=False" in job.result["call"]
    return tmp_path / "out"


def latents(model):
    """What Sfumato's own sampler draws, (1, 4, S, S) premultiplied in [-1, 1]."""
    words, there = minilm.encode_tokens([CAPTION])
    nothing = np.zeros((1, 4, 16, 16), np.float32)
    told = Told(words, there.astype(np.float32), nothing, np.zeros(1, np.float32))
    plan = Plan(Understood("", "", CAPTION, "", 1.0), [SEED], "dpmpp_2m", stock.STEPS, stock.GUIDANCE)
    *_, drawn = walk(torch_local.load(model.path), plan, told)
    return drawn


def test_the_folder_is_whole_and_holds_the_same_weights(folder, model):
    index = json.loads((folder / "model_index.json").read_text())
    for part in (name for name in index if not name.startswith("_")):
        assert any((folder / part).iterdir()), part
    written = load_file(folder / "transformer" / stock.WEIGHTS)
    own = dict(torch_local.build(model.header, model.path).named_parameters())
    assert written.keys() == own.keys()
    assert all(np.array_equal(written[name], own[name].numpy()) for name in own)
    assert read_header(folder / "transformer" / stock.WEIGHTS).data == model.header.data
    assert "MIT" in (folder / "README.md").read_text()
    assert not any(path.name.startswith(".draft") for path in folder.parent.iterdir())


def test_the_codec_lays_a_picture_on_white():
    weights = {name: torch.from_numpy(one) for name, one in stock.codec().items()}
    z = torch.rand(2, 4, 5, 5, generator=torch.Generator().manual_seed(0)) * 3 - 1.5  # beyond what is visible, too
    inner = F.relu(
        F.conv2d(z / stock.SMALL, weights["decoder.layers.0.weight"], weights["decoder.layers.0.bias"], 1, 1)
    )
    drawn = F.conv2d(inner, weights["decoder.layers.2.weight"], weights["decoder.layers.2.bias"], 1, 1)
    cut = ((z + 1) / 2).clamp(0, 1)
    assert torch.allclose(drawn[..., 1:-1, 1:-1], (cut[:, :3] + 1 - cut[:, 3:])[..., 1:-1, 1:-1], atol=1e-6)


def test_what_diffusers_has_no_class_for_is_refused_with_what_has_one(studio, tmp_path, model):
    with pytest.raises(InvalidInput, match="diffusers has no class") as refused:
        export_model(studio, name=DEFAULT, form="diffusers", target=tmp_path / "x")
    assert "--architecture pixart" in str(refused.value.hint)
    assert not (tmp_path / "x").exists()
    with pytest.raises(Conflict, match="holds something already"):
        export_model(studio, name=model.name, form="diffusers", target=studio.path.parent)


def test_an_adapter_of_one_leaves_merged(studio, tiny, work_off, model, tmp_path):
    asked = tiny | SHAPE | {"architecture": "pixart", "samples": 8, "rank": 2, "lr": 0.05}
    job = runs.train(studio, recipe_name="lora", data="drawn", name="stock-beside", options=asked, parent="stock")
    assert work_off(studio, job).status == "done"
    beside = find_model(studio, "stock-beside")
    work_off(studio, export_model(studio, name="stock-beside", form="diffusers", target=tmp_path / "out"))
    written, whole = load_file(tmp_path / "out" / "transformer" / stock.WEIGHTS), read_whole(beside.path)
    assert written.keys() == whole.keys()
    assert all(np.array_equal(written[name], whole[name]) for name in whole)
    base = read_whole(model.path)
    assert any(not np.array_equal(written[name], base[name]) for name in base)


DRAW = """
import sys
FOLDER, CAPTION, SEED = sys.argv[2], sys.argv[3], int(sys.argv[4])
exec(open(sys.argv[1]).read())
drawn.save(sys.argv[5] + ".png")
latent = pipe(
    prompt=None, negative_prompt=None, prompt_embeds=words, prompt_attention_mask=there,
    negative_prompt_embeds=torch.zeros_like(words), negative_prompt_attention_mask=there, output_type="latent",
    num_inference_steps=12, guidance_scale=4.0, use_resolution_binning=False,
    latents=torch.from_numpy(noise) * float(pipe.scheduler.sigmas[0]),
).images
np.save(sys.argv[5], latent.numpy())
simple = pipe(CAPTION, guidance_scale=1.0, num_inference_steps=2, max_sequence_length=20, use_resolution_binning=False)
assert simple.images[0].size == (16, 16)
"""


@pytest.mark.slow
@pytest.mark.skipif(not PEER.exists(), reason="SFUMATO_DIFFUSERS_PYTHON names no interpreter with diffusers")
def test_diffusers_alone_draws_the_same_picture(folder, model, tmp_path):
    (tmp_path / "call.py").write_text(stock.call(model.header))
    run = [PEER, "-c", DRAW, tmp_path / "call.py", folder, CAPTION, str(SEED), tmp_path / "theirs"]
    alone = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(run, capture_output=True, text=True, env={**alone, "HF_HUB_OFFLINE": "1"}, cwd=tmp_path)
    assert done.returncode == 0, done.stderr[-2000:]
    own, theirs = latents(model), np.load(tmp_path / "theirs.npy")
    assert own.std() > 0.1
    assert np.abs(own - theirs).max() < stock.TOLERANCE
    straight = Image.fromarray(to_straight(own)[0])
    white = Image.alpha_composite(Image.new("RGBA", straight.size, "white"), straight).convert("RGB")
    apart = np.abs(np.asarray(white, int) - np.asarray(Image.open(tmp_path / "theirs.png"), int))
    assert apart.max() <= 11
    assert np.median(apart) <= 1
