"""A model as a folder of diffusers' own classes, which `DiffusionPipeline.from_pretrained` opens with no flag.

| part | class | what is in it |
|---|---|---|
| transformer | PixArtTransformer2DModel | the model's weights, name for name |
| scheduler | DPMSolverMultistepScheduler | the sampler dpmpp_2m and the times of the architecture |
| vae | AutoencoderTiny | no learnt weight: it lays premultiplied RGBA on white, pixel by pixel |
| text_encoder, tokenizer | BertModel, PreTrainedTokenizerFast | the sentence encoder that the model learnt with |
"""

import hashlib
import json
import os
import shutil
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import save

from sfumato.checkpoints.adapters import read_whole
from sfumato.checkpoints.header import Header, write_checkpoint
from sfumato.checkpoints.models import ModelView
from sfumato.features import bert
from sfumato.store.files import write_whole

STOCK = "pixart"  # the architecture whose weights are those of a class of diffusers
SIDES = 8  # a pipeline of diffusers draws multiples of it
VERSION = "0.42.1"  # of diffusers, whose classes these are
SMALL = 1024.0  # the codec bends what is large, so it is given what is small
TOLERANCE = 1e-4  # between the latents of both, which lie in [-1, 1]
STEPS, GUIDANCE = 12, 4.0
FIRST_NOISE = 2 * 0.999 / 1.999  # where the architecture's times begin, as a share of noise
WEIGHTS = "diffusion_pytorch_model.safetensors"
INDEX = {
    "_class_name": "PixArtSigmaPipeline", "_diffusers_version": VERSION,
    "scheduler": ["diffusers", "DPMSolverMultistepScheduler"], "text_encoder": ["transformers", "BertModel"],
    "tokenizer": ["transformers", "PreTrainedTokenizerFast"], "transformer": ["diffusers", "PixArtTransformer2DModel"],
    "vae": ["diffusers", "AutoencoderTiny"],
}  # fmt: skip
SCHEDULER = {
    "_class_name": "DPMSolverMultistepScheduler", "_diffusers_version": VERSION, "num_train_timesteps": 1000,
    "algorithm_type": "dpmsolver++", "solver_type": "midpoint", "solver_order": 2, "prediction_type": "sample",
    "use_flow_sigmas": True, "flow_shift": 2.0, "final_sigmas_type": "zero", "lower_order_final": True,
    "thresholding": False,
}  # fmt: skip
CODEC = {
    "_class_name": "AutoencoderTiny", "_diffusers_version": VERSION, "in_channels": 3, "out_channels": 3,
    "latent_channels": 4, "act_fn": "relu", "scaling_factor": SMALL, "encoder_block_out_channels": [3],
    "decoder_block_out_channels": [8], "num_encoder_blocks": [0], "num_decoder_blocks": [0],
}  # fmt: skip


def why_not(header: Header) -> str:
    """Why a model cannot leave as a folder of diffusers, and what can; "" where it can."""
    if header.architecture != STOCK:
        return f"Its network is {header.architecture}, and diffusers has no class for that."
    size = int(header.options["size"])
    return f"It draws {size} × {size} pixels, and diffusers multiples of {SIDES}." if size % SIDES else ""


def write_folder(model: ModelView, target: Path) -> dict[str, Any]:
    """Write all of it into the new or empty folder `target`, whole or not at all; returns how to call it."""
    target.parent.mkdir(parents=True, exist_ok=True)
    draft = Path(tempfile.mkdtemp(dir=target.parent, prefix=".draft-"))
    try:
        _write(model, draft)
        draft.chmod(0o755)
        os.replace(draft, target)
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return {"call": call(model.header), "tolerance": TOLERANCE}


def _write(model: ModelView, folder: Path) -> None:
    header = model.header.model_copy(update={"adapter": {}, "format": 1})
    parts = {
        "model_index.json": INDEX, "scheduler/scheduler_config.json": SCHEDULER, "vae/config.json": CODEC,
        "transformer/config.json": transformer_config(header.options), "text_encoder/config.json": bert.CONFIG,
        "tokenizer/tokenizer_config.json": bert.TOKENS,
    }  # fmt: skip
    for name, said in parts.items():
        write_whole(folder / name, json.dumps(said, indent=2).encode())
    write_checkpoint(folder / "transformer" / WEIGHTS, read_whole(model.path), header, said={"format": "pt"})
    write_whole(folder / "vae" / WEIGHTS, save(codec(), {"format": "pt"}))
    write_whole(folder / "text_encoder" / "model.safetensors", save(bert.read_weights(), {"format": "pt"}))
    write_whole(folder / "tokenizer" / "tokenizer.json", bert.read_tokenizer())
    write_whole(folder / "README.md", readme(model).encode())


def transformer_config(options: dict[str, Any]) -> dict[str, Any]:
    """The settings of PixArtTransformer2DModel for a network of the architecture."""
    width = int(options["width"])
    return {
        "_class_name": "PixArtTransformer2DModel", "_diffusers_version": VERSION, "num_attention_heads": width // 64,
        "attention_head_dim": 64, "in_channels": 4, "out_channels": 4, "num_layers": options["depth"],
        "cross_attention_dim": width, "caption_channels": options["text_width"], "sample_size": options["size"],
        "patch_size": options["patch"], "attention_bias": True, "norm_type": "ada_norm_single", "dropout": 0.0,
        "norm_elementwise_affine": False, "norm_eps": 1e-6, "activation_fn": "gelu-approximate",
        "interpolation_scale": 1, "use_additional_conditions": False,
    }  # fmt: skip


def codec() -> dict[str, np.ndarray]:
    """Weights of AutoencoderTiny that lay premultiplied RGBA in [-1, 1] on white, cut to [0, 1] first.

    v = (z + 1) / 2 is cut as relu(v) - relu(v - 1), and white shows through by 1 - alpha. Pictures are encoded as
    wholly opaque. Only the middles of the 3 × 3 kernels are not nought.
    """
    first, last = np.zeros((8, 4, 3, 3), np.float32), np.zeros((3, 8, 3, 3), np.float32)
    for channel in range(4):
        first[2 * channel : 2 * channel + 2, channel, 1, 1] = SMALL / 2
        sign = -1 if channel == 3 else 1
        for colour in range(3) if channel == 3 else (channel,):
            last[colour, 2 * channel : 2 * channel + 2, 1, 1] = sign, -sign
    inward, outward = np.zeros((3, 3, 3, 3), np.float32), np.zeros((4, 3, 3, 3), np.float32)
    for colour in range(3):
        inward[colour, colour, 1, 1], outward[colour, colour, 1, 1] = 1, 2 / SMALL
    return {
        "decoder.layers.0.weight": first, "decoder.layers.0.bias": np.tile(np.array([0.5, -0.5], np.float32), 4),
        "decoder.layers.2.weight": last, "decoder.layers.2.bias": np.ones(3, np.float32),
        "encoder.layers.0.weight": inward, "encoder.layers.0.bias": np.zeros(3, np.float32),
        "encoder.layers.1.weight": outward,
        "encoder.layers.1.bias": np.array([-1, -1, -1, 1], np.float32) / np.float32(SMALL),
    }  # fmt: skip


def call(header: Header) -> str:
    """Lines of Python that draw what `sfumato create` draws with the same caption, seed, steps and guidance."""
    size, length = header.options["size"], header.options["text_length"]
    return f"""\
import numpy as np, torch
from diffusers import DiffusionPipeline

pipe = DiffusionPipeline.from_pretrained(FOLDER)
words, there, _, _ = pipe.encode_prompt(CAPTION, False, max_sequence_length={length}, clean_caption=False)
noise = np.random.Generator(np.random.Philox(SEED)).standard_normal((1, 4, {size}, {size}), np.float32)
drawn = pipe(
    prompt=None, negative_prompt=None, prompt_embeds=words, prompt_attention_mask=there,
    negative_prompt_embeds=torch.zeros_like(words), negative_prompt_attention_mask=there,
    num_inference_steps={STEPS}, guidance_scale={GUIDANCE}, use_resolution_binning=False,
    latents=torch.from_numpy(noise) * {FIRST_NOISE!r},
).images[0]
"""


def readme(model: ModelView) -> str:
    """What the folder says of itself to a person."""
    data = model.header.data
    licences = ", ".join(f"{name} ({n:,})" for name, n in data.get("licences", {}).items()) or "not told"
    return f"""\
# {model.name}

A model of Sfumato as a folder of diffusers' own classes (PixArtSigmaPipeline; diffusers {VERSION}, transformers).
It opens with no flag and no code of ours. Weights: SHA-256 `{model.sha256}`.

- learnt from: {data.get("name", "not told")}; licences of the pictures: {licences}
- text encoder: all-MiniLM-L6-v2, Apache-2.0, int8 weights widened to float32; it reads {bert.LENGTH} tokens
- the codec (`vae`) has learnt nothing: it lays the drawing on white

## The same picture as in Sfumato

```python
{call(model.header)}```

CAPTION is what Sfumato takes a prompt for: the thing, then "STYLE style", such as "red apple, noto style"; SEED is the
picture's own. Latents (`output_type="latent"`: red, green, blue premultiplied and alpha, in [-1, 1]) are within
{TOLERANCE} of Sfumato's. On white, Sfumato's PNG differs besides where it clears what is all but invisible
(alpha below 0.04) and fills what is all but opaque (above 0.96): by at most 11 of 255 levels.

Simpler, with words alone, as `sfumato create --guidance 1` draws, and from noise of torch's:

```python
pipe(
    "red apple, noto style", guidance_scale=1.0, num_inference_steps={STEPS}, use_resolution_binning=False,
    max_sequence_length={bert.LENGTH},
).images[0]
```
"""


def digest(folder: Path) -> tuple[int, str]:
    """Bytes of all files of a folder, and the SHA-256 of the model's own weights."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    own = (folder / "transformer" / WEIGHTS).read_bytes()
    return sum(path.stat().st_size for path in files), hashlib.sha256(own).hexdigest()
