"""Flow matching in pixels with a clean-picture prediction, told what to draw by words and a looked-up picture.

z = t x + (1 - t) e; the network predicts x; the loss is the velocity's, |x' - x|^2 / (1 - t)^2 (Li and He
2025, arXiv 2511.13720, table 1), with t from a logit-normal (Esser et al. 2024, arXiv 2403.03206).
"""

from typing import Any, Literal

import numpy as np
import torch
from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator
from torch import Tensor, nn

from sfumato.models.architectures import dit, patch_transformer, pixart, unet
from sfumato.models.guidance import guided
from sfumato.models.noise import rising_times, starting_noise
from sfumato.models.samplers import dpmpp_2m
from sfumato.training.augment import draw_moves, moved, tell_moves
from sfumato.training.grounds import draw_grounds, lay
from sfumato.training.material import Material
from sfumato.training.telling import captions_anew, retell

ARCHITECTURES = {"patch_transformer": patch_transformer, "dit": dit, "unet": unet, "pixart": pixart}
LEVELS = (0.1, 0.3, 0.5, 0.7)


class Options(BaseModel):
    """Everything that decides what a run learns; saved with it, so that it can be repeated from it alone."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    architecture: Literal["patch_transformer", "dit", "unet", "pixart"] = Field(
        "patch_transformer", description="the network; pixart is one of diffusers' own"
    )
    size: int = Field(32, ge=8, le=128, description="side of the picture in pixels")
    patch: int = Field(4, ge=2, le=16, description="side of a patch; a unet has none")
    width: int = Field(192, ge=64, le=1024, multiple_of=64, description="channels of a token; a unet's first, times 4")
    depth: int = Field(8, ge=1, le=32, description="blocks; of each level in a unet")
    samples: int = Field(200_000, ge=1, description="pictures to see, counted with repeats")
    batch: int = Field(32, ge=1, le=4096, description="pictures per step")
    optimizer: Literal["muon", "adamw"] = Field("muon", description="how steps are taken")
    lr: float = Field(4e-3, gt=0, le=1, description="highest learning rate")
    warmup: float = Field(0.01, ge=0, le=1, description="share of the samples over which the rate rises")
    decay: float = Field(0.35, ge=0, le=1, description="share of the samples over which it falls to zero")
    clip: float = Field(1.0, gt=0, description="largest norm of the gradient")
    time_mean: float = Field(-0.4, ge=-5, le=5, description="mean of the time's logit; lower is noisier")
    time_std: float = Field(0.8, gt=0, le=5, description="spread of the time's logit")
    drop_words: float = Field(0.1, ge=0, le=1, description="share of captions left out, for guidance")
    same_concept: float = Field(0.5, ge=0, le=1, description="share that sees its concept in another style")
    near_concept: float = Field(0.3, ge=0, le=1, description="share that sees a concept of a near name")
    ema_short: float = Field(0.05, gt=0, lt=1, description="length of the shorter average, relative to the run")
    ema_long: float = Field(0.10, gt=0, lt=1, description="length of the longer average")
    caption_parts: Literal["varied", "shuffled", "whole"] = Field(
        "varied", description="captions in parts, in parts of any order, or always whole"
    )
    flip: bool = Field(True, description="mirror pictures whose caption allows it")
    augment: float = Field(0.0, ge=0, le=1, description="share scaled, turned, stretched or shifted, and told so")
    grounds: float = Field(0.0, ge=0, le=1, description="share laid on a plain ground that the caption names")
    accumulate: int = Field(1, ge=1, le=256, description="parts of a batch, one after the other, to save memory")
    recompute: bool = Field(False, description="compute blocks twice instead of keeping what they give, to save memory")
    checkpoint_every: int = Field(10_000, ge=1, description="samples between checkpoints")
    preview_every: int = Field(20_000, ge=1, description="samples between preview grids")
    held_out: int = Field(128, ge=2, description="held-out pictures in the loss on fixed noise")
    seed: int = Field(0, ge=0, lt=2**31, description="of weights, order and noise")

    @field_validator("patch")
    @classmethod
    def _divides(cls, patch: int, info: ValidationInfo) -> int:
        if info.data.get("size", patch) % patch:
            raise ValueError(f"the side of the picture, {info.data['size']}, is no multiple of it")
        return patch


def build(options: Options) -> nn.Module:
    """The network, with weights from torch's present random state."""
    net: nn.Module = ARCHITECTURES[options.architecture].build(network_options(options))
    return net


def network_options(options: Options) -> Any:
    """What the recipe's options mean for the network."""
    wanted: Any = ARCHITECTURES[options.architecture].Options
    shape = {name: getattr(options, name) for name in ("size", "patch", "width", "depth")}
    if options.architecture == "unet":
        shape |= {"width": options.width // 4}
    return wanted(**{name: value for name, value in shape.items() if name in wanted.model_fields})


def batch(options: Options, material: Material, position: int) -> dict[str, Tensor]:
    """The batch that starts at sample `position`: the same at any time, on any attempt."""
    random = np.random.default_rng((options.seed, 1, position))
    rows = material.order(options.seed, position, options.batch)
    references = np.full(len(rows), -1)
    for place, row in enumerate(rows):
        choice, pick, pick_style = random.random(3)
        concept, style = material.lines[row].concept, material.lines[row].style
        if choice < options.same_concept:
            references[place] = material.shelf.other_style(concept, style, pick)
        if references[place] < 0 and choice < options.same_concept + options.near_concept:
            references[place] = material.shelf.neighbour(concept, pick, pick_style)
    picks = random.integers(0, material.captions.shape[1], len(rows))
    captions = material.captions[rows, 0 if options.caption_parts == "whole" else picks]
    flips = (random.random(len(rows)) < 0.5) & material.flip_ok[rows] & options.flip
    wordless = random.random(len(rows)) < options.drop_words
    references[wordless & (random.random(len(rows)) < 0.7)] = -1
    tensors = material.tensors(rows, captions, references, flips)
    tensors["words_on"] *= torch.from_numpy(~wordless)[:, None]
    longest = max(1, int(tensors["words_on"].any(0).sum()))  # of the captions that are left; the rest costs time alone
    tensors |= {name: tensors[name][:, :longest] for name in ("words", "words_on")}
    generator = torch.Generator().manual_seed(int(random.integers(2**62)))
    logit = torch.randn(len(rows), generator=generator) * options.time_std + options.time_mean
    tensors["t"] = torch.sigmoid(logit)
    tensors["noise"] = torch.randn(tensors["x"].shape, generator=generator)
    return changed(options, material, rows, picks, tensors, position)


def changed(
    options: Options, material: Material, rows: np.ndarray, picks: np.ndarray, given: dict[str, Tensor], position: int
) -> dict[str, Tensor]:
    """The batch told in another order, laid on grounds and moved, where the options ask for it, and told of both."""
    grounds = None
    if (options.grounds or options.caption_parts == "shuffled") and material.words.shape[1]:
        own, told = np.random.default_rng((options.seed, 3, position)), given["words_on"].any(1).numpy()
        grounds = draw_grounds(own, given["x"], told, options.grounds)
        lines, shuffled = [material.lines[row] for row in rows], options.caption_parts == "shuffled"
        picks = picks if options.caption_parts != "whole" else picks * 0
        anew = captions_anew(own, lines, picks, grounds.named(), shuffled=shuffled)
        anew = {place: text for place, text in anew.items() if told[place]}
        given["words"], given["words_on"] = retell(given["words"], given["words_on"], anew)
    if options.augment:
        own = np.random.default_rng((options.seed, 2, position))
        moves = torch.from_numpy(draw_moves(own, len(rows), options.augment))
        given["x"] = moved(given["x"], moves)
        most = material.words.shape[1]
        given["words"], given["words_on"] = tell_moves(given["words"], given["words_on"], moves, most)
    if grounds is not None:
        given["x"] = lay(given["x"], grounds)
    return given


def losses(net: nn.Module, given: dict[str, Tensor]) -> Tensor:
    """The velocity's squared error of each picture, (B)."""
    t = given["t"][:, None, None, None]
    z = t * given["x"] + (1 - t) * given["noise"]
    drawn = net(z, given["t"], given["words"], given["words_on"], given["reference"], given["reference_on"])
    return ((drawn.float() - given["x"]) ** 2).mean((1, 2, 3)) / (1 - given["t"]).clamp(min=0.05) ** 2


def held_out(options: Options, material: Material, net: nn.Module) -> dict[str, float]:
    """Mean loss on fixed held-out pictures and fixed noise, for four levels of noise (t = 1 is clean)."""
    rows = material.held_out[: options.held_out]
    if len(rows) == 0:
        return {}
    given = material.tensors(rows, material.captions[rows, 0], best(material, rows), np.zeros(len(rows), bool))
    given["noise"] = torch.from_numpy(starting_noise(list(range(len(rows))), tuple(given["x"].shape[1:])))
    found = {}
    for level in LEVELS:
        given["t"] = torch.full((len(rows),), level)
        found[f"t={level}"] = float(losses(net, given).mean())
    return found


def preview(options: Options, material: Material, net: nn.Module, count: int = 16) -> np.ndarray:
    """Pictures of fixed held-out and seen captions from seeds 0, 1, ..., (count, S, S, 4) uint8, premultiplied."""
    return sketch(material, net, rising_times(12), count)


def sketch(material: Material, net: nn.Module, times: list[float], count: int) -> np.ndarray:
    """Preview pictures drawn along these times, (count, S, S, 4) uint8, premultiplied."""
    rows = material.preview_rows(count)
    given = material.tensors(rows, material.captions[rows, 0], best(material, rows), np.zeros(len(rows), bool))
    z = torch.from_numpy(starting_noise(list(range(len(rows))), tuple(given["x"].shape[1:])))
    told = given["words"], given["words_on"], given["reference"], given["reference_on"]
    untold = given["words"], given["words_on"] * 0, given["reference"], given["reference_on"] * 0

    def call(z: Tensor, t: float, said: tuple[Tensor, ...]) -> Tensor:
        return net(z, torch.full((z.shape[0],), t), *said).float()

    denoise = guided(
        lambda z, t: (call(z, t, told), call(z, t, untold)), lambda z, t: call(z, t, told), 2.0, (0.1, 0.9)
    )
    *_, drawn = dpmpp_2m.sample(denoise, z * (1 - times[0]), times)
    return (drawn.clamp(-1, 1).add(1).mul(127.5).round().byte().permute(0, 2, 3, 1)).numpy()


def best(material: Material, rows: np.ndarray) -> np.ndarray:
    """The reference of each row as a drawing would choose it."""
    chosen = []
    for place, row in enumerate(rows):
        line = material.lines[row]
        chosen.append(material.shelf.best(line.concept, line.style, (place * 0.618) % 1))
    return np.array(chosen)


def describe(options: Options) -> dict[str, Any]:
    """What a checkpoint's header says of the network."""
    return {"architecture": options.architecture, "options": network_options(options).model_dump()}
