"""An adapter of somebody else's model is read in every layout that others write, and others read ours."""

import json

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from sfumato.checkpoints.adapters import A, B
from sfumato.checkpoints.adding import add_model
from sfumato.checkpoints.derived import Weights, folder_of, read_inner_shapes
from sfumato.checkpoints.folder_adapters import DIFFUSERS, older_name
from sfumato.checkpoints.models import find_model
from sfumato.compliance.trace import trace
from sfumato.errors import Conflict, InvalidInput
from sfumato.generation.portable import export_model
from sfumato.training.adopting import adopt
from tests.diffused import make

pytest.importorskip("diffusers", reason="diffusers is not installed: pip install 'sfumato[diffusers]'")

QUERY = "down_blocks.1.attentions.0.transformer_blocks.0.attn1.to_q"
CONV = "down_blocks.0.resnets.0.conv1"
TEXT = "text_model.encoder.layers.0.self_attn.q_proj"


@pytest.fixture(scope="module", params=["sd", pytest.param("xl", marks=pytest.mark.whole)])
def base(request, studio, tmp_path_factory):
    """A tiny model that was taken in; returns its view."""
    folder = make(request.param, tmp_path_factory.mktemp("made") / request.param)
    adopt(studio, path=folder, name=f"adapted-{request.param}", licence="MIT")
    return find_model(studio, f"adapted-{request.param}")


@pytest.fixture
def shapes(base):
    """Shapes of the denoiser's weights."""
    return read_inner_shapes(base.path)["unet"]


def pair(shape, rank, seed=0):
    """Two matrices, as tensors of the sides that a layer of this shape has."""
    random = np.random.default_rng(seed)
    down = random.standard_normal((rank, *shape[1:])).astype(np.float32) * 0.1
    up = random.standard_normal((shape[0], rank, *(1 for _ in shape[2:]))).astype(np.float32) * 0.1
    return down, up


def change(base, model, name, part="unet"):
    """What a model changes of one weight of its base."""
    here, there = (Weights(*(folder_of(one.path) / part).glob("*.safetensors")) for one in (model, base))
    return here[f"{name}.weight"] - there[f"{name}.weight"]


def flat(name):
    return name.replace(".", "_")


@pytest.mark.parametrize("layout", ["kohya", "first", "diffusers", "older", "peft"])
def test_every_layout_means_the_same(studio, base, shapes, tmp_path, layout):
    down, up = pair(shapes[f"{QUERY}.weight"], 2)
    file, half = tmp_path / "one.safetensors", 0.5
    if layout in ("kohya", "first"):
        name = "lora_unet_" + flat(QUERY if layout == "kohya" else older_name(QUERY, 1))
        tensors = {f"{name}.lora_down.weight": down, f"{name}.lora_up.weight": up, f"{name}.alpha": np.float32([1])}
        save_file(tensors | {f"{name}.alpha": np.array(1, np.float32)}, file)
    elif layout == "diffusers":
        save_file({f"unet.{QUERY}.lora_A.weight": down, f"unet.{QUERY}.lora_B.weight": up}, file)
        half = 1.0  # no alpha is said: it is the rank
    elif layout == "older":
        before = f"unet.{QUERY.rpartition('.')[0]}.processor.to_q_lora"
        save_file({f"{before}.down.weight": down, f"{before}.up.weight": up}, file)
        half = 1.0
    else:
        file = tmp_path / "peft"
        file.mkdir()
        (file / "adapter_config.json").write_text(json.dumps({"peft_type": "LORA", "r": 2, "lora_alpha": 1}))
        names = {f"base_model.model.{QUERY}{end}": one for end, one in ((A, down), (B, up))}
        save_file(names, file / "adapter_model.safetensors")
    name = f"{base.name}-{layout}"
    add_model(studio, path=file, name=name, licence="CC-BY-4.0", base=base.name)
    model = find_model(studio, name)
    assert np.allclose(change(base, model, QUERY), half * up @ down, atol=1e-6)
    assert not change(base, model, "conv_in").any()
    assert model.header.parent == base.sha256
    told = str(trace(studio, what=model.ref))
    assert "has not disclosed the training data" in told


def test_convolutions_text_encoders_and_ranks_of_their_own_are_read(studio, base, shapes, tmp_path):
    text = read_inner_shapes(base.path)["text_encoder"]
    inner = next(name.removesuffix(".weight") for name in text if name.endswith("0.self_attn.q_proj.weight"))
    two = base.name.endswith("xl")
    tensors = {}
    for key, shape, rank in (
        (f"lora_unet_{flat(CONV)}", shapes[f"{CONV}.weight"], 3),
        (f"lora_unet_{flat(QUERY)}", shapes[f"{QUERY}.weight"], 2),
        (f"lora_te{'1' if two else ''}_{flat(TEXT)}", text[f"{inner}.weight"], 1),
    ):
        down, up = pair(shape, rank)
        tensors |= {f"{key}.lora_down.weight": down, f"{key}.lora_up.weight": up,
                    f"{key}.alpha": np.array(1, np.float32)}  # fmt: skip
    save_file(tensors, tmp_path / "many.safetensors")
    name = f"{base.name}-many"
    add_model(studio, path=tmp_path / "many.safetensors", name=name, licence="MIT", base=base.name)
    model = find_model(studio, name)
    down, up = pair(shapes[f"{CONV}.weight"], 3)
    expected = np.einsum("or,rikl->oikl", up[..., 0, 0], down) / 3
    assert np.allclose(change(base, model, CONV), expected, atol=1e-6)
    down, up = pair(text[f"{inner}.weight"], 1)
    assert np.allclose(change(base, model, inner, "text_encoder"), up @ down, atol=1e-6)


def test_what_does_not_fit_is_refused_by_name(studio, base, shapes, tmp_path):
    file = tmp_path / "one.safetensors"

    def refused(tensors, match):
        save_file(tensors, file)
        with pytest.raises(InvalidInput, match=match):
            add_model(studio, path=file, name="x", licence="MIT", base=base.name)

    down, up = pair(shapes[f"{QUERY}.weight"], 2)
    whole = {f"unet.{QUERY}.lora_A.weight": down, f"unet.{QUERY}.lora_B.weight": up}
    refused({"unet.elsewhere.lora_A.weight": down}, "has 'unet.elsewhere.lora_A.weight', which the model has no place")
    refused({f"unet.{QUERY}.lora_A.weight": down}, "one of two matrices")
    refused(whole | {f"unet.{QUERY}.lora_A.weight": down[:, :5]}, "belongs|is for")
    refused(whole | {f"unet.{QUERY}.dora_scale": down}, "DoRA")
    save_file(whole, file)
    with pytest.raises(InvalidInput, match="licence must be said"):
        add_model(studio, path=file, name="x", licence="", base=base.name)
    with pytest.raises(Conflict, match="already"):
        add_model(studio, path=file, name=base.name, licence="MIT", base=base.name)


def test_what_leaves_comes_back_and_diffusers_reads_it(studio, base, shapes, tmp_path, work_off):
    pytest.importorskip("peft", reason="peft is not installed: pip install peft")
    import diffusers
    import torch

    down, up = pair(shapes[f"{QUERY}.weight"], 2)
    conv = pair(shapes[f"{CONV}.weight"], 3)
    names = {f"unet.{QUERY}.lora_A.weight": down, f"unet.{QUERY}.lora_B.weight": up,
             f"unet.{CONV}.lora_A.weight": conv[0], f"unet.{CONV}.lora_B.weight": conv[1]}  # fmt: skip
    save_file(names, tmp_path / "one.safetensors")
    name = f"{base.name}-leaves"
    add_model(studio, path=tmp_path / "one.safetensors", name=name, licence="MIT", base=base.name)
    model = find_model(studio, name)
    for form, target in (("peft", tmp_path / "out"), ("kohya", tmp_path / "out.safetensors"),
                         ("diffusers", tmp_path / "whole")):  # fmt: skip
        job = work_off(studio, export_model(studio, name=name, form=form, target=target))
        assert job.status == "done", job.error
    whole = diffusers.UNet2DConditionModel.from_pretrained(tmp_path / "whole" / "unet")
    said = json.loads((tmp_path / "whole" / "sfumato.json").read_text())
    assert said["data"]["licence"] == "MIT"
    for number, file in enumerate((tmp_path / "out" / DIFFUSERS, tmp_path / "out.safetensors")):
        pipe = diffusers.DiffusionPipeline.from_pretrained(folder_of(base.path))
        pipe.load_lora_weights(str(file.parent), weight_name=file.name)
        given = {"sample": torch.ones(1, 4, 16, 16), "timestep": torch.tensor([500]),
                 "encoder_hidden_states": torch.ones(1, 7, pipe.unet.config.cross_attention_dim)}  # fmt: skip
        if base.name.endswith("xl"):
            told = {"text_embeds": torch.ones(1, 32), "time_ids": torch.full((1, 6), 32.0)}
            given["added_cond_kwargs"] = told
        with torch.no_grad():
            theirs, ours = pipe.unet(**given).sample, whole(**given).sample
            pipe.unload_lora_weights()
            before = pipe.unet(**given).sample
        assert torch.allclose(theirs, ours, atol=1e-5), number
        assert not torch.allclose(before, ours, atol=1e-5)
        again = f"{name}-again-{number}"
        add_model(studio, path=file, name=again, licence="MIT", base=base.name)
        back = find_model(studio, again)
        assert np.allclose(change(base, back, CONV), change(base, model, CONV), atol=1e-6)
    peft = load_file(tmp_path / "out" / "adapter_model.safetensors")
    assert all(name.startswith("base_model.model.") for name in peft)
    config = json.loads((tmp_path / "out" / "adapter_config.json").read_text())
    assert config["rank_pattern"] == {QUERY: 2}
    assert config["r"] == config["lora_alpha"] == 3
