"""Learning on somebody else's latent diffusion model: what a run of any of its recipes shares.

The denoiser of a folder of diffusers learns (a UNet2DConditionModel or a PixArtTransformer2DModel); codec and text
encoders stay. z = sqrt(a) x + sqrt(1 - a) e with a of the folder's own schedule at a uniform time (Ho et al. 2020,
arXiv 2006.11239, equation 4); the target is what its scheduler says that the network predicts: the noise e, the clean
latents x, or the velocity sqrt(a) e - sqrt(1 - a) x (Salimans and Ho 2022, arXiv 2202.00512, section 4). Loads
diffusers only once a network is built.
"""

import math
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from PIL import Image
from pydantic import BaseModel, ConfigDict, Field
from pydantic.json_schema import SkipJsonSchema
from torch import Tensor, nn

from sfumato.checkpoints.derived import denoiser_of, folder_under, read_entry, read_inner_shapes
from sfumato.checkpoints.folders import ARCHITECTURE, INDEX
from sfumato.checkpoints.header import Header
from sfumato.data.pictures import to_premultiplied
from sfumato.errors import InvalidInput, Unsupported
from sfumato.models.noise import starting_noise
from sfumato.training.borrowed import library
from sfumato.training.encoded import COPIES, Encoded
from sfumato.training.phases import Phase

CLASSES = {"unet": "UNet2DConditionModel", "transformer": "PixArtTransformer2DModel"}
KNOWN = {*CLASSES.values(), "Transformer2DModel"}  # the last is what older folders of PixArt say
TARGETS = ("epsilon", "v_prediction", "sample")
LEVELS = (0.1, 0.3, 0.5, 0.7, 0.9)  # of the schedule's times, in held-out losses
FINE, GRAIN = 8, 64  # sides are multiples of the one up to the other, and of the other above
GUIDANCE = 5.0  # of previews


class Options(BaseModel):
    """Everything that decides what a run learns; saved with it, so that it can be repeated from it alone."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    size: int = Field(0, ge=0, le=2048, description="side of the picture in pixels; 0 is the model's own")
    samples: int = Field(2_000, ge=1, description="pictures to learn from, repeats counted")
    batch: int = Field(4, ge=1, le=4096, description="pictures per step")
    accumulate: int = Field(4, ge=1, le=256, description="parts of a batch, one after the other, to save memory")
    gradient_checkpointing: bool = Field(False, description="compute blocks twice to save memory")
    lr: float = Field(1e-4, gt=0, le=1, description="highest learning rate")
    warmup: float = Field(0.05, ge=0, le=1, description="share of the samples over which the rate rises")
    decay: float = Field(0.2, ge=0, le=1, description="share of the samples over which it falls to zero")
    clip: float = Field(1.0, gt=0, description="largest norm of the gradient")
    drop_words: float = Field(0.1, ge=0, le=1, description="share of captions left out, for guidance")
    fit: Literal["whole", "crop", "buckets"] = Field(
        "whole", description="pictures whole in a square on white, cropped to it, or in buckets of a near aspect"
    )
    aspect_limit: float = Field(2.0, ge=1, le=4, description="longer side of a bucket over its shorter, at most")
    crop_limit: float = Field(
        0.25, ge=0, le=0.9, description="share of a picture that buckets may crop; what would lose more stays whole"
    )
    caption_parts: Literal["varied", "whole"] = Field("varied", description="captions in parts, or always whole")
    flip: bool = Field(True, description="mirror pictures whose caption allows it")
    ema_short: float = Field(0.05, gt=0, lt=1, description="length of the shorter average, relative to the run")
    ema_long: float = Field(0.10, gt=0, lt=1, description="length of the longer average")
    checkpoint_every: int = Field(500, ge=1, description="samples between checkpoints")
    preview_every: int = Field(500, ge=1, description="samples between preview grids")
    previews: int = Field(4, ge=2, le=16, description="pictures of a preview")
    preview_steps: int = Field(20, ge=1, le=200, description="steps of each of them")
    held_out: int = Field(8, ge=2, description="held-out pictures in the loss on fixed noise")
    seed: int = Field(0, ge=0, lt=2**31, description="of new weights, order and noise")
    despite_memory: bool = Field(False, description="start although memory seems to be too short")
    base: SkipJsonSchema[dict[str, Any]] = Field(default_factory=dict, exclude=True)  # what the parent's folder says


def of_parent(options: Any, header: Header, path: Path) -> Any:
    """The options with what the parent says of its network, its schedule and its size.

    Raises InvalidInput where the parent is no folder of diffusers, or one that cannot be learnt on.
    """
    if header.architecture != ARCHITECTURE:
        raise InvalidInput(
            "This learns on a folder of diffusers that was taken in, and the model is one of Sfumato's own.",
            hint="sfumato train flow --from MODEL goes on with all weights of such a one, train lora beside them.",
        )
    packed = folder_under(path)
    index, part = read_entry(packed, INDEX), denoiser_of(header)
    network, codec = read_entry(packed, f"{part}/config.json"), read_entry(packed, "vae/config.json")
    schedule = read_entry(packed, "scheduler/scheduler_config.json")
    _check(list(index.get(part) or ()), network, codec, schedule)
    size = options.size or int(header.options["size"])
    if size % FINE or (size > GRAIN and size % GRAIN):
        raise InvalidInput(
            f"Pictures of {size} pixels cannot be learnt.",
            hint=f"Give a multiple of {FINE}; above {GRAIN}, of {GRAIN}.",
        )
    counted = {
        name: sum(int(np.prod(one)) for one in held.values()) for name, held in read_inner_shapes(packed).items()
    }
    base = {
        "pipeline": header.options["pipeline"], "part": part, "network": network, "schedule": schedule,
        "factor": 2 ** (len(codec.get("block_out_channels") or codec["decoder_block_out_channels"]) - 1),
        "wide": int((codec.get("block_out_channels") or codec["decoder_block_out_channels"])[0]),
        "grain": grain(size, part, network, codec),
        "zeros": bool(index.get("force_zeros_for_empty_prompt", True)), "parameters": counted, "model": header.options,
    }  # fmt: skip
    return options.model_copy(update={"size": size, "base": base})


def grain(size: int, part: str, network: dict[str, Any], codec: dict[str, Any]) -> int:
    """What the sides of buckets are multiples of: as sides of squares are, and what codec and denoiser divide by."""
    halved = len(codec.get("block_out_channels") or codec["decoder_block_out_channels"]) - 1
    divided = 2 ** (len(network["block_out_channels"]) - 1) if part == "unet" else int(network.get("patch_size") or 1)
    return math.lcm(FINE if size <= GRAIN else GRAIN, 2**halved * divided)


def _check(said: list[Any], network: dict[str, Any], codec: dict[str, Any], schedule: dict[str, Any]) -> None:
    """Raise Unsupported for what this does not know how to teach."""
    predicts = schedule.get("prediction_type", "epsilon")
    if said[-1:] and said[-1] not in KNOWN:
        raise Unsupported(
            f"The denoiser is a {said[-1]}, which is not taught here.", hint=f"These are: {', '.join(KNOWN)}."
        )
    if schedule.get("use_flow_sigmas") or "Flow" in str(schedule.get("_class_name")) or predicts not in TARGETS:
        raise Unsupported(
            f"Its scheduler ({schedule.get('_class_name')}, {predicts}) has times of a kind that is not taught here.",
            hint="A model that Sfumato exported goes on as what it was: sfumato train flow --from MODEL.",
        )
    if network.get("addition_embed_type") not in (None, "text_time") or network.get("class_embed_type"):
        raise Unsupported("The denoiser is told more than captions and sizes, which is not taught here.")
    if network.get("in_channels") != codec.get("latent_channels"):
        raise Unsupported(
            f"The denoiser takes {network.get('in_channels')} channels, and the codec has "
            f"{codec.get('latent_channels')}: it is made for inpainting or the like, which is not taught here."
        )  # fmt: skip


def build(options: Options) -> nn.Module:
    """The denoiser's network, with weights from torch's present random state."""
    base = options.base
    net: nn.Module = getattr(library(), CLASSES[base["part"]]).from_config(base["network"])
    if options.gradient_checkpointing:
        net.enable_gradient_checkpointing()  # type: ignore[operator]
    return net.eval()  # without dropout, so that a step depends on its position alone


def phases(options: Options) -> tuple[Phase, ...]:
    """One phase: AdamW for all that learns."""
    return (Phase("", losses, optimizers=_adamw),)


def _adamw(net: nn.Module, options: Any) -> list[torch.optim.Optimizer]:
    return [torch.optim.AdamW(net.parameters(), options.lr, (0.9, 0.99), weight_decay=0.0)]


def choices(options: Options, material: Encoded, position: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, int]:
    """Rows, rows of captions and which are mirrored (B) of the batch at a position, and a seed for its noise."""
    random = np.random.default_rng((options.seed, 1, position))
    rows = material.order(options.seed, position, options.batch)
    picks = random.integers(0, material.captions.shape[1], len(rows))
    captions = material.captions[rows, picks if options.caption_parts == "varied" else 0]
    flips = (random.random(len(rows)) < 0.5) & material.flip_ok[rows] & options.flip
    captions = np.where(random.random(len(rows)) < options.drop_words, material.nothing, captions)
    return rows, captions, flips, int(random.integers(2**62))


def batch(options: Options, material: Encoded, position: int) -> dict[str, Tensor]:
    """The batch that starts at sample `position`: the same at any time, on any attempt."""
    rows, captions, flips, seed = choices(options, material, position)
    generator = torch.Generator().manual_seed(seed)
    t = torch.randint(len(material.kept_share), (len(rows),), generator=generator)
    shape = material.shape(rows)
    spread, noise = torch.randn(shape, generator=generator), torch.randn(shape, generator=generator)
    return given(options, material, (rows, captions, flips), t, spread, noise)


def given(
    options: Options, material: Encoded, chosen: tuple[np.ndarray, np.ndarray, np.ndarray], t: Tensor, spread: Tensor,
    noise: Tensor,
) -> dict[str, Tensor]:  # fmt: skip
    """What the network is given and should say: noised latents z, times t (B), what it is told, and the target.

    `spread` (B, C, H, W) is where in the codec's own uncertainty a picture's latents lie.
    """
    rows, captions, flips = chosen
    x = material.latents_of(rows, flips, spread)
    share = material.kept_share[t][:, None, None, None]
    predicts = options.base["schedule"].get("prediction_type", "epsilon")
    targets = {"epsilon": noise, "sample": x, "v_prediction": share.sqrt() * noise - (1 - share).sqrt() * x}
    return {
        "z": share.sqrt() * x + (1 - share).sqrt() * noise, "t": t, "target": targets[predicts],
        **material.told(rows, captions),
    }  # fmt: skip


def losses(net: nn.Module, given: dict[str, Tensor]) -> Tensor:
    """The squared error of each picture's prediction, (B)."""
    found: Tensor = ((predict(net, given).float() - given["target"]) ** 2).mean((1, 2, 3))
    return found


def predict(net: nn.Module, given: dict[str, Tensor]) -> Tensor:
    """What the denoiser predicts, (B, C, H, W); each class is told its own way."""
    beside: dict[str, Any] = {}
    if "ids" in given:  # Stable Diffusion XL
        beside["added_cond_kwargs"] = {"text_embeds": given["pooled"], "time_ids": given["ids"]}
    if "words_on" in given:  # PixArt
        shape = {"resolution": given.get("resolution"), "aspect_ratio": given.get("aspect_ratio")}
        beside |= {"encoder_attention_mask": given["words_on"], "added_cond_kwargs": shape}
    drawn: Tensor = net(given["z"], timestep=given["t"], encoder_hidden_states=given["words"], **beside).sample
    return drawn.chunk(2, 1)[0] if drawn.shape[1] == 2 * given["z"].shape[1] else drawn  # the other half is a variance


def held_out(options: Options, material: Encoded, net: nn.Module) -> dict[str, float]:
    """Mean loss on fixed held-out pictures and fixed noise, for five levels of noise (t = 0 is clean)."""
    rows = material.held_out[: options.held_out]
    if len(rows) == 0:
        return {}
    found = {}
    for level in LEVELS:
        t = torch.full((1,), int(level * len(material.kept_share)))
        told = []
        for place in range(len(rows)):  # one by one, since each may have a shape of its own
            one = rows[place : place + 1]
            shape = material.shape(one)
            noise = torch.from_numpy(starting_noise([place], shape[1:]))
            chosen = one, material.captions[one, 0], np.zeros(1, bool)
            seen = given(options, material, chosen, t, torch.zeros(shape), noise)
            told.append(float(losses(net, seen).mean()))
        found[f"t={level}"] = float(np.mean(told))
    return found


def preview(options: Options, material: Encoded, net: nn.Module) -> np.ndarray:
    """Pictures of fixed held-out and seen captions from seeds 0, 1, ..., (N, S, S, 4) uint8.

    Each is drawn in the shape of its own picture; one that is no square lies whole on ground.
    """
    pipe, drawn = material.pipeline(library(), net, options.base), []
    for place, row in enumerate(material.preview_rows(options.previews)):
        said = material.said(int(material.captions[row, 0]), options.base)
        height, width = material.places[row].shape
        one = pipe(
            height=height, width=width, num_inference_steps=options.preview_steps, guidance_scale=GUIDANCE,
            output_type="np", generator=torch.Generator().manual_seed(place), **said,
        ).images[0]  # fmt: skip
        colours = (np.nan_to_num(one).clip(0, 1) * 255 + 0.5).astype(np.uint8)
        opaque = np.concatenate([colours, np.full_like(colours[..., :1], 255)], -1)
        drawn.append(opaque if height == width else to_premultiplied(Image.fromarray(opaque), options.size))
    return np.stack(drawn)


def describe(options: Options) -> dict[str, Any]:
    """What a checkpoint's header says of the network: that of its parent, at the size that was learnt."""
    model = dict(options.base["model"])
    share = (options.size / float(model["size"])) ** 2
    model |= {"size": options.size, "step_gflops": round(float(model["step_gflops"]) * share, 1), "goes_on": True,
              "card": min(COPIES, options.size)}  # fmt: skip
    return {"architecture": ARCHITECTURE, "options": model, "format": 2}
