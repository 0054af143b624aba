"""A single file becomes a folder by the settings of one like it, and draws as the folder that it was made of."""

import re

import numpy as np
import pytest
from safetensors.numpy import save_file

from sfumato.checkpoints.derived import Weights, folder_of
from sfumato.checkpoints.folder_adapters import older_name
from sfumato.checkpoints.models import find_model
from sfumato.compliance.trace import trace
from sfumato.errors import InvalidInput, SfumatoError, Unsupported
from sfumato.training.adopting import adopt
from tests.diffused import make

pytest.importorskip("diffusers", reason="diffusers is not installed: pip install 'sfumato[diffusers]'")

NORMS = {"norm1": "in_layers.0", "norm2": "out_layers.0"}
CODEC = (
    (r"down_blocks\.(\d)\.resnets\.(\d)", r"down.\1.block.\2"), (r"mid_block\.resnets\.0", "mid.block_1"),
    (r"down_blocks\.(\d)\.downsamplers\.0", r"down.\1.downsample"), (r"mid_block\.resnets\.1", "mid.block_2"),
    (r"mid_block\.attentions\.0", "mid.attn_1"), (r"up_blocks\.0\.resnets", "up.1.block"),
    (r"up_blocks\.1\.resnets", "up.0.block"), (r"up_blocks\.0\.upsamplers\.0", "up.1.upsample"),
    (r"conv_shortcut", "nin_shortcut"), (r"conv_norm_out", "norm_out"), (r"group_norm", "norm"), (r"to_q", "q"),
    (r"to_k", "k"), (r"to_v", "v"), (r"to_out\.0", "proj_out"),
)  # fmt: skip


def unet_name(name):
    """What the first code calls a weight of the tiny U-Net, which has one layer a block."""
    module, _, kind = name.rpartition(".")
    if module == "conv_norm_out":
        return f"model.diffusion_model.out.0.{kind}"
    norm = module.rpartition(".")[2]
    if norm in NORMS and ".resnets." in module:
        within = older_name(f"{module.removesuffix(norm)}x", 1).removesuffix("x")
        return f"model.diffusion_model.{within}{NORMS[norm]}.{kind}"
    return f"model.diffusion_model.{older_name(module, 1)}.{kind}"


def codec_name(name):
    """The same for the codec."""
    for mine, theirs in CODEC:
        name = re.sub(mine, theirs, name)
    return f"first_stage_model.{name}"


def one_file(folder, path):
    """A folder's weights as one file, as Stable Diffusion 1 came."""
    tensors = {}
    for part, called in (("unet", unet_name), ("vae", codec_name)):
        for name, one in Weights(*(folder / part).glob("*.safetensors")).items():
            square = ".mid.attn_1." in called(name) and one.ndim == 2
            tensors[called(name)] = one[..., None, None] if square else one
    for name, one in Weights(*(folder / "text_encoder").glob("*.safetensors")).items():
        tensors[f"cond_stage_model.transformer.text_model.{name.removeprefix('text_model.')}"] = one
    save_file({name: np.ascontiguousarray(one) for name, one in tensors.items()}, path)
    return path


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A tiny Stable Diffusion."""
    return make("sd", tmp_path_factory.mktemp("made") / "sd")


@pytest.mark.whole
def test_its_weights_are_those_of_the_file_and_both_are_on_record(studio, folder, tmp_path):
    file = one_file(folder, tmp_path / "theirs.safetensors")
    found = adopt(studio, path=file, name="from-one-file", licence="CC-BY-NC-4.0", maker="Ann", like=folder)
    model = find_model(studio, "from-one-file")
    assert any("draw here, in diffusers" in one for one in found.can)
    for part in ("unet", "vae"):
        mine, theirs = (Weights(*(at / part).glob("*.safetensors")) for at in (folder_of(model.path), folder))
        assert set(mine) == set(theirs)
        assert all(np.allclose(mine[name], theirs[name], atol=1e-6) for name in theirs)
    said = model.header.recipe_options
    assert (said["file"], said["like"]) == ("theirs.safetensors", "sd")
    assert len(said["sha256"]) == len(said["like_sha256"]) == 64
    assert "has not disclosed the training data" in str(trace(studio, what=model.ref))
    broken = tmp_path / "broken.safetensors"
    save_file({"model.diffusion_model.input_blocks.0.0.weight": np.zeros((3, 3), np.float32)}, broken)
    with pytest.raises(SfumatoError):
        adopt(studio, path=broken, name="broken", licence="MIT", like=folder)


def test_what_cannot_be_is_refused_before_anything_is_read(studio, folder, tmp_path):
    file = tmp_path / "one.safetensors"
    save_file({"w": np.zeros(2, np.float32)}, file)
    with pytest.raises(InvalidInput, match="licence must be said"):
        adopt(studio, path=file, name="x", like=folder)
    with pytest.raises(InvalidInput, match="a folder already"):
        adopt(studio, path=folder, name="x", licence="MIT", like=folder)
    (tmp_path / "one.ckpt").write_bytes(b"\x80\x02")
    with pytest.raises(InvalidInput, match="pickle"):
        adopt(studio, path=tmp_path / "one.ckpt", name="x", licence="MIT", like=folder)
    art = make("art", tmp_path / "art")
    with pytest.raises(Unsupported, match="no single file as a PixArtSigmaPipeline"):
        adopt(studio, path=file, name="x", licence="MIT", like=art)
