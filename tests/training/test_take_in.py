"""A folder of diffusers is taken in under its licence, says what it takes, and draws; what is not sound is refused.

SFUMATO_DIFFUSERS_PYTHON names the interpreter of an environment with torch, diffusers and transformers.
"""

import json
import os
import pickle
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from safetensors.numpy import save_file

import sfumato
from sfumato.checkpoints import peers
from sfumato.checkpoints.folders import PLACE, look_into, unpack
from sfumato.checkpoints.models import find_model, show_model
from sfumato.compliance.answer import Facts, answer
from sfumato.compliance.chain import Weights
from sfumato.compliance.trace import taken_in
from sfumato.errors import Damaged, InvalidInput, NotFound, SfumatoError, Unsupported
from sfumato.generation.create import CreateOptions, for_folder
from sfumato.generation.engines import diffusers_folder
from sfumato.training.adopting import adopt
from tests.web.conftest import enter, open_studio

PEER = Path(os.environ.get("SFUMATO_DIFFUSERS_PYTHON", "/nowhere"))  # read before a test forgets all settings
PARTS = {
    "transformer": ("diffusers", "PixArtTransformer2DModel", "diffusion_pytorch_model.safetensors"),
    "vae": ("diffusers", "AutoencoderKL", "diffusion_pytorch_model.safetensors"),
    "text_encoder": ("transformers", "T5EncoderModel", "model.safetensors"),
    "tokenizer": ("transformers", "T5Tokenizer", "spiece.model"),
    "scheduler": ("diffusers", "DPMSolverMultistepScheduler", "scheduler_config.json"),
}
SETTINGS = {"transformer": {"sample_size": 16, "patch_size": 2}, "vae": {"block_out_channels": [1, 2, 3, 4]}}


@pytest.fixture
def folder(tmp_path):
    """A folder whose parts have the names of a PixArt and next to no weights, with code and a pickle beside them."""
    there = tmp_path / "theirs"
    index = {"_class_name": "PixArtSigmaPipeline", **{name: list(part[:2]) for name, part in PARTS.items()}}
    for name, (_, _, file) in PARTS.items():
        (there / name).mkdir(parents=True)
        (there / name / "config.json").write_text(json.dumps(SETTINGS.get(name, {})))
        if file.endswith(".safetensors"):
            save_file({"w": np.ones((50, 20), np.float32)}, there / name / file)
        else:
            (there / name / file).write_text("{}")
    (there / "model_index.json").write_text(json.dumps(index))
    (there / "transformer" / "diffusion_pytorch_model.bin").write_bytes(pickle.dumps("no"))
    (there / "transformer" / "own.py").write_text("raise SystemExit")
    return there


def test_it_becomes_a_model_that_says_what_it_takes_and_whose_it_is(studio, folder):
    found = adopt(studio, path=folder, name="pixart", licence="CC-BY-NC-4.0", maker="Ann")
    assert any("of memory and" in one and "for 20 steps" in one for one in found.can)
    assert any("has not disclosed" in one for one in found.cannot)
    facts = show_model(studio, name="pixart")
    assert (facts.size, facts.parameters, facts.run) == (128, 3000, "")
    model = find_model(studio, "pixart")
    known = Weights(found.sha256, f"checkpoint/{found.sha256}", "pixart", model.header.model_dump(), None)
    assert taken_in([known]) == []  # its licence counts once, with what it learnt from
    chain = sfumato.trace(studio, f"checkpoint/{found.sha256}", files=False).chain
    assert (chain.facts["licence"], chain.facts["maker"]) == ("CC-BY-NC-4.0", "Ann")
    assert [one.title for one in chain.steps] == ["somebody who has not disclosed the training data"]
    again = adopt(studio, path=folder, name="pixart-again", licence="CC-BY-NC-4.0", maker="Ann")
    assert again.sha256 == found.sha256


def test_may_i_use_it_names_the_licence_and_that_nothing_is_disclosed(studio, folder):
    from sfumato.compliance.trace import _training, _unsaid

    found = adopt(studio, path=folder, name="asked", licence="CC-BY-NC-4.0")
    header = find_model(studio, "asked").header.model_dump()
    known = Weights(found.sha256, f"checkpoint/{found.sha256}", "asked", header, None)
    told = answer(Facts(standing="valid", subject="a.png", model="asked", training=[_training(known)],
                        missing=[_unsaid(known)]))  # fmt: skip
    assert any("CC-BY-NC-4.0" in one.says and "not commercial" in one.says for one in told.conditions)
    assert "has not disclosed the training data" in str(told)


def test_the_page_offers_it_and_says_that_nothing_is_disclosed(studio, folder):
    adopt(studio, path=folder, name="offered", licence="MIT")
    with open_studio(studio) as client:
        browser = enter(client)
        assert '<option value="offered" selected>' in browser.page("/create?model=offered").text
        assert "has not disclosed" in browser.page("/create/knows?prompt=a+red+disc&model=offered").text


def test_the_page_of_training_offers_it_to_those_that_learn_on_it(studio, folder):
    adopt(studio, path=folder, name="taught", licence="MIT")
    with open_studio(studio) as client:
        browser = enter(client)
        for recipe, offered in (("full", True), ("diffusers_lora", True), ("lora", False), ("flow", False)):
            said = browser.page(f"/new-run?recipe={recipe}").text
            assert ("<option>taught</option>" in said) == offered
            assert ("<option selected>emoji-styles-small</option>" in said) == (recipe in ("lora", "flow"))


def test_only_plain_files_are_taken_and_they_come_back_the_same(studio, folder, tmp_path):
    adopt(studio, path=folder, name="packed", licence="MIT")
    path = find_model(studio, "packed").path
    out = unpack(path, tmp_path / "out")
    back = {str(one.relative_to(out)) for one in out.rglob("*") if one.is_file()}
    assert "transformer/own.py" not in back
    assert not any(one.endswith(".bin") for one in back)
    assert all((out / one).read_bytes() == (folder / one).read_bytes() for one in back)
    (out / "vae" / "config.json").unlink()  # as where a cache is cleared
    assert (unpack(path, tmp_path / "out") / "vae" / "config.json").is_file()
    assert not any(map(PLACE.fullmatch, ("../x", "/x", "a/../x", "a/b/c", "a/.x")))


def test_without_a_licence_nothing_is_taken(studio, folder):
    with pytest.raises(InvalidInput, match="licence must be said"):
        adopt(studio, path=folder, name="nobodys")


def spoil(folder, how):
    """Make one thing of a folder unsound."""
    weights = folder / "transformer" / "diffusion_pytorch_model.safetensors"
    index = json.loads((folder / "model_index.json").read_text())
    if how == "pickle":
        weights.unlink()
    elif how == "huge":
        weights.write_bytes((10 << 30).to_bytes(8, "little") + b"{}")
    elif how == "cut":
        weights.write_bytes(weights.read_bytes()[:-8])
    elif how == "code":
        (folder / "model_index.json").write_text(json.dumps(index | {"vae": ["own", "Codec"]}))
    elif how == "other":
        (folder / "model_index.json").write_text(json.dumps(index | {"_class_name": "FluxPipeline"}))
    elif how == "sizes":
        (folder / "transformer" / "config.json").write_text('{"sample_size": 1e9}')
    elif how == "missing":
        shutil.rmtree(folder / "vae")


@pytest.mark.parametrize(("how", "kind", "says"), [
    ("pickle", InvalidInput, "no plain safetensors, but diffusion_pytorch_model.bin"),
    ("huge", InvalidInput, "not a safetensors file"),
    ("cut", Damaged, "cut short"),
    ("code", InvalidInput, "code from outside of diffusers"),
    ("other", Unsupported, "FluxPipeline, which is not drawn with here"),
    ("sizes", Damaged, "settings of theirs cannot be read"),
    ("missing", NotFound, "has a part 'vae', which is not there"),
])  # fmt: skip
def test_what_is_not_sound_is_refused_in_words(folder, how, kind, says):
    spoil(folder, how)
    with pytest.raises(kind, match=says):
        look_into(folder)


def test_one_file_of_another_make_says_what_it_is_and_that_a_folder_draws(studio, tmp_path):
    cross = "model.diffusion_model.input_blocks.4.1.transformer_blocks.0.attn2.to_k.weight"
    save_file({cross: np.zeros((320, 768), np.float32)}, tmp_path / "sd.safetensors")
    with pytest.raises(InvalidInput, match="licence must be said"):
        adopt(studio, path=tmp_path / "sd.safetensors", name="sd")
    found = adopt(studio, path=tmp_path / "sd.safetensors", name="sd", licence="CreativeML-OpenRAIL-M")
    assert any("Stable Diffusion 1" in one and "save_pretrained" in one for one in found.cannot)


def test_where_there_is_no_diffusers_it_says_what_to_install(studio, folder, monkeypatch):
    adopt(studio, path=folder, name="undrawn", licence="MIT")
    monkeypatch.setattr(peers, "find_spec", lambda name: None)
    with pytest.raises(Unsupported, match="needs diffusers") as missing:
        diffusers_folder.load(find_model(studio, "undrawn").path)
    assert "pip install" in str(missing.value.hint)
    monkeypatch.setenv("SFUMATO_DIFFUSERS_PYTHON", "/nowhere/python")
    with pytest.raises(Unsupported, match="cannot be run"):
        peers.diffusers_python()


def test_its_own_scheduler_takes_the_steps_and_nothing_else_is_promised():
    plan = for_folder(CreateOptions(), "pixart")
    assert (plan.sampler, plan.upscale) == ("its own scheduler", 1)
    assert for_folder(plan, "pixart") == plan
    with pytest.raises(InvalidInput, match="its own scheduler"):
        for_folder(CreateOptions(sampler="heun"), "pixart")


MAKE = """
import sys, torch, json
from tokenizers import Tokenizer, models, pre_tokenizers, processors
import diffusers, transformers
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection, PreTrainedTokenizerFast
torch.manual_seed(0)
words = {one: place for place, one in enumerate(["[PAD]", "[UNK]", "<s>", "</s>", "a", "red", "disc"])}
inner = Tokenizer(models.WordLevel(words, "[UNK]"))
inner.pre_tokenizer = pre_tokenizers.Whitespace()
inner.post_processor = processors.TemplateProcessing(single="<s> $A </s>", special_tokens=[("<s>", 2), ("</s>", 3)])
tokens = PreTrainedTokenizerFast(tokenizer_object=inner, model_max_length=16, pad_token="[PAD]", unk_token="[UNK]")
text = CLIPTextConfig(vocab_size=8, hidden_size=32, intermediate_size=37, num_attention_heads=4, num_hidden_layers=2,
                      max_position_embeddings=16, projection_dim=32, bos_token_id=2, eos_token_id=3, pad_token_id=0)
codec = diffusers.AutoencoderKL(block_out_channels=(32, 64), down_block_types=("DownEncoderBlock2D",) * 2,
                                up_block_types=("UpDecoderBlock2D",) * 2, norm_num_groups=8)
shape = dict(sample_size=16, layers_per_block=1, block_out_channels=(32, 64), norm_num_groups=8, attention_head_dim=8,
             down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"),
             up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"))
steps = diffusers.DDIMScheduler(clip_sample=False)
one = diffusers.StableDiffusionPipeline(
    vae=codec, text_encoder=CLIPTextModel(text), tokenizer=tokens, scheduler=steps, safety_checker=None,
    feature_extractor=None, requires_safety_checker=False,
    unet=diffusers.UNet2DConditionModel(cross_attention_dim=32, **shape))
one.save_pretrained(sys.argv[1] + "/sd")
xl = diffusers.StableDiffusionXLPipeline(
    vae=codec, text_encoder=CLIPTextModel(text), text_encoder_2=CLIPTextModelWithProjection(text), tokenizer=tokens,
    tokenizer_2=tokens, scheduler=steps, add_watermarker=False,
    unet=diffusers.UNet2DConditionModel(cross_attention_dim=64, addition_embed_type="text_time",
                                        addition_time_embed_dim=8, projection_class_embeddings_input_dim=80, **shape))
xl.save_pretrained(sys.argv[1] + "/xl")
t5 = transformers.T5EncoderModel(transformers.T5Config(
    vocab_size=8, d_model=32, d_ff=37, d_kv=8, num_layers=2, num_heads=4))
art = diffusers.PixArtSigmaPipeline(
    vae=codec, text_encoder=t5, tokenizer=tokens, scheduler=diffusers.DPMSolverMultistepScheduler(),
    transformer=diffusers.PixArtTransformer2DModel(
        num_attention_heads=2, attention_head_dim=16, in_channels=4, out_channels=8, num_layers=2, sample_size=16,
        cross_attention_dim=32, caption_channels=32, use_additional_conditions=False))
art.save_pretrained(sys.argv[1] + "/art")
"""


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Tiny random models of the classes, as diffusers writes them."""
    where = tmp_path_factory.mktemp("made")
    done = subprocess.run([PEER, "-I", "-c", MAKE, where], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:]
    return where


@pytest.mark.slow
@pytest.mark.skipif(not PEER.exists(), reason="SFUMATO_DIFFUSERS_PYTHON names no interpreter with diffusers")
@pytest.mark.parametrize("kind", ["sd", "xl", "art"])
def test_it_draws_and_a_seed_is_a_picture(studio, made, kind, monkeypatch, tmp_path):
    monkeypatch.setenv("SFUMATO_DIFFUSERS_PYTHON", str(PEER))
    sfumato.adopt(studio, path=made / kind, name=f"tiny-{kind}", licence="MIT", maker="us")
    first = sfumato.create(studio, "a red disc", model=f"tiny-{kind}", n=2, seed=5, steps=3, out=tmp_path / "first")
    again = sfumato.create(studio, "a red disc", model=f"tiny-{kind}", n=1, seed=6, steps=3, out=tmp_path / "again")
    assert "has not disclosed" in first.said
    assert "GB of memory" in first.said
    seen = [np.asarray(Image.open(one.path).convert("RGB")) for one in (*first.pictures, *again.pictures)]
    assert seen[0].shape == (32, 32, 3)
    assert seen[0].std() > 1
    assert np.array_equal(seen[1], seen[2])
    assert not np.array_equal(seen[0], seen[1])
    told = str(sfumato.trace(studio, first.pictures[0].path))
    assert "has not disclosed the training data" in told
    with pytest.raises(SfumatoError):
        sfumato.create(studio, "a red disc", model=f"tiny-{kind}", sampler="heun")
