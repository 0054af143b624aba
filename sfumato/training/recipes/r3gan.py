"""R3GAN: two networks against each other, one draws in a single call, the other tells real from drawn.

The loss compares each real picture with a drawn one, softplus(D(drawn) - D(real)) for the discriminator and the other
way about for the generator, and both penalties on the discriminator's slope, at real and at drawn pictures, keep it
from running away (Huang et al. 2024, arXiv 2501.05441, sections 2 and 3; rate, penalties and augmentation move as
in its settings). All that changes with time comes with the batch, so that a step depends on its position alone.
"""

import math
from typing import Any, Literal

import numpy as np
import torch
import torch.nn.functional as F
from pydantic import BaseModel, ConfigDict, Field, field_validator
from torch import Tensor, nn

from sfumato.models.architectures import r3gan
from sfumato.models.noise import starting_noise
from sfumato.models.slopes import steep
from sfumato.training.augment import CHANGED, NUMBERS, both_sides
from sfumato.training.material import Material
from sfumato.training.nearness import kernel_distance
from sfumato.training.phases import Phase

ARCHITECTURE = "r3gan"
BF16 = False  # the penalties are slopes of slopes, which bfloat16 cannot hold
DRAWER = "generator"


class Options(BaseModel):
    """Everything that decides what a run learns; saved with it, so that it can be repeated from it alone."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    size: int = Field(32, ge=8, le=128, description="side of the picture in pixels: 4, doubled a few times")
    width: int = Field(16, ge=16, le=512, multiple_of=16, description="channels at the finest stage")
    most: int = Field(128, ge=16, le=1024, multiple_of=16, description="channels of a stage at most")
    depth: int = Field(1, ge=1, le=8, description="blocks of a stage")
    fold: Literal[1, 2, 4] = Field(1, description="pixels that the finest stage sees as one place; 2 is twice as fast")
    latent: int = Field(64, ge=4, le=512, description="numbers of noise")
    words: Literal["mean", "none"] = Field("mean", description="what both networks are told of the words")
    samples: int = Field(200_000, ge=1, description="pictures to see, counted with repeats")
    batch: int = Field(32, ge=1, le=4096, description="pictures per step")
    optimizer: Literal["adam"] = Field("adam", description="how steps are taken")
    lr: float = Field(4e-4, gt=0, le=1, description="learning rate at first; a quarter of it in the end")
    gamma: float = Field(0.5, gt=0, description="weight of both penalties at first; a tenth of it in the end")
    penalty_every: int = Field(1, ge=1, le=16, description="steps from one penalty to the next, weighed as many times")
    settle: float = Field(0.4, gt=0, le=1, description="share of the samples over which rate and penalty fall")
    augment: float = Field(0.3, ge=0, lt=CHANGED, description="share whose colour, place or part changes, in the end")
    clip: float = Field(1000.0, gt=0, description="largest norm of the gradient; high, since the penalties do its work")
    drop_words: float = Field(0.1, ge=0, le=1, description="share of captions left out")
    ema_short: float = Field(0.05, gt=0, lt=1, description="length of the shorter average, relative to the run")
    ema_long: float = Field(0.10, gt=0, lt=1, description="length of the longer average")
    caption_parts: Literal["varied", "whole"] = Field("varied", description="captions in parts, or always whole")
    flip: bool = Field(True, description="mirror pictures whose caption allows it")
    accumulate: int = Field(1, ge=1, le=256, description="parts of a batch, one after the other, to save memory")
    checkpoint_every: int = Field(10_000, ge=1, description="samples between checkpoints")
    preview_every: int = Field(20_000, ge=1, description="samples between preview grids")
    held_out: int = Field(128, ge=2, description="held-out pictures that the networks are measured on")
    seed: int = Field(0, ge=0, lt=2**31, description="of weights, order and noise")

    @field_validator("size")
    @classmethod
    def _doubles(cls, size: int) -> int:
        if size & (size - 1):
            raise ValueError(f"{size} is not 4 doubled a few times")
        return size


def build(options: Options) -> nn.Module:
    """Both networks, with weights from torch's present random state."""
    return r3gan.Pair(network_options(options))


def network_options(options: Options) -> r3gan.Options:
    """What the recipe's options mean for the networks."""
    shape = {name: getattr(options, name) for name in ("size", "width", "most", "depth", "fold", "latent", "words")}
    return r3gan.Options(**shape)


def phases(options: Options) -> tuple[Phase, ...]:
    """The discriminator's part of a step, then the generator's."""
    return (
        Phase("discriminator", judged, "discriminator", optimizers, settings),
        Phase("generator", losses, "generator", optimizers, settings),
    )


def optimizers(net: nn.Module, options: Options) -> list[torch.optim.Optimizer]:
    """Adam without momentum."""
    return [torch.optim.Adam(net.parameters(), options.lr, (0.0, 0.9))]


def fallen(options: Options, samples_seen: int, start: float, end: float) -> float:
    """From `start` to `end` along a half cosine over the run's first part."""
    share = min(samples_seen / (options.settle * options.samples), 1.0)
    return end + (start - end) * (1 + math.cos(math.pi * share)) / 2


def settings(options: Options, samples_seen: int) -> dict[str, Any]:
    """Rate and second moment of both optimisers: lr to lr / 4, 0.9 to 0.99."""
    steadiness = fallen(options, samples_seen, 0.9, 0.99)
    return {"lr": fallen(options, samples_seen, options.lr, options.lr / 4), "betas": (0.0, steadiness)}


def batch(options: Options, material: Material, position: int) -> dict[str, Tensor]:
    """The batch that starts at sample `position`: the same at any time, on any attempt."""
    random = np.random.default_rng((options.seed, 1, position))
    rows = material.order(options.seed, position, options.batch)
    count = len(rows)
    picks = random.integers(0, material.captions.shape[1], count)
    captions = material.captions[rows, picks if options.caption_parts == "varied" else 0]
    flips = (random.random(count) < 0.5) & material.flip_ok[rows] & options.flip
    given = told(material, rows, captions, flips)
    given["words_on"] *= torch.from_numpy(random.random(count) >= options.drop_words)[:, None]
    generator = torch.Generator().manual_seed(int(random.integers(2**62)))
    for name in ("z", "z_next"):
        given[name] = torch.randn((count, options.latent), generator=generator)
    for name in ("change", "change_drawn", "change_next", "change_next_drawn"):
        given[name] = torch.rand((count, NUMBERS), generator=generator)
    given["share"] = torch.full((count,), fallen(options, position, 0.0, options.augment))
    given["gamma"] = torch.full((count,), penalty(options, position))
    return given


def penalty(options: Options, position: int) -> float:
    """What both penalties weigh in the step at `position`: nought but in each `penalty_every`-th step, which makes up
    for the others (Karras et al. 2020, arXiv 1912.04958, section 3.1 on lazy regularisation)."""
    if position // options.batch % options.penalty_every:
        return 0.0
    return options.penalty_every * fallen(options, position, options.gamma, options.gamma / 10)


def told(material: Material, rows: np.ndarray, captions: np.ndarray, flips: np.ndarray) -> dict[str, Tensor]:
    """Pictures x (B, 4, S, S) in [-1, 1], words (B, T, D) and which of them are there (B, T)."""
    given = material.tensors(rows, captions, np.full(len(rows), -1), flips)
    return {name: given[name] for name in ("x", "words", "words_on")}


def judged(net: nn.Module, given: dict[str, Tensor]) -> Tensor:
    """The discriminator's loss of each real picture and the one drawn beside it, with both penalties, (B)."""
    assert isinstance(net, r3gan.Pair)
    with torch.no_grad():
        drawn = net.generator(given["z"], given["words"], given["words_on"])
    share = given["share"]
    real = both_sides(given["x"], given["change"], share)
    seen = torch.cat([real, both_sides(drawn, given["change_drawn"], share)])  # (2B, 4, S, S)
    said = given["words"].repeat(2, 1, 1), given["words_on"].repeat(2, 1)
    judge = net.discriminator
    if not given["gamma"].any():
        return paired(judge(seen, *said))
    weights = list(judge.parameters())
    return steep(judge.look, lambda found: judge.tell(found, *said), seen, paired, given["gamma"], weights)


def paired(scores: Tensor) -> Tensor:
    """The discriminator's loss (B) of scores (2B), those of real pictures first."""
    of_real, of_drawn = scores.chunk(2)
    return F.softplus(of_drawn - of_real)


def losses(net: nn.Module, given: dict[str, Tensor]) -> Tensor:
    """The generator's loss of each picture beside a real one, (B); 0.69 is a draw, more is a discriminator ahead."""
    assert isinstance(net, r3gan.Pair)
    said, share = (given["words"], given["words_on"]), given["share"]
    drawn = both_sides(net.generator(given["z_next"], *said), given["change_next_drawn"], share)
    with torch.no_grad():
        real = net.discriminator(both_sides(given["x"], given["change_next"], share), *said)
    return F.softplus(real - net.discriminator(drawn, *said))


def held_out(options: Options, material: Material, net: nn.Module) -> dict[str, float]:
    """How far the discriminator knows its pictures by heart, and how far drawn colours are from real ones.

    `critic, seen - held-out` is the mean of its score on training pictures less that on held-out ones: near 0 it has
    learnt what is real, and far above it knows its own pictures. `critic, seen - drawn` is its lead over the generator.
    `colours, drawn` is a kernel distance of drawn to held-out pictures averaged to 8x8 pixels (`kernel_distance`), and
    `colours, seen` that of as many training pictures, which is as low as it can be expected to come. All captions,
    pictures and seeds are fixed. None of this is a likelihood: a GAN has none.
    """
    assert isinstance(net, r3gan.Pair)
    rows = material.held_out[: options.held_out]
    seen = material.train[np.linspace(0, len(material.train) - 1, len(rows)).astype(int)] if len(rows) else rows
    if len(rows) < 2:
        return {}
    still = np.zeros(len(rows), bool)
    unknown, known = (told(material, some, material.captions[some, 0], still) for some in (rows, seen))
    scores = [net.discriminator(one["x"], one["words"], one["words_on"]).mean() for one in (unknown, known)]
    drawn = _drawn(options, net, unknown)
    lead = scores[1] - net.discriminator(drawn, unknown["words"], unknown["words_on"]).mean()
    pictures = [as_pixels(one) for one in (drawn, known["x"], unknown["x"])]
    return {
        "critic, seen - held-out": float(scores[1] - scores[0]),
        "critic, seen - drawn": float(lead),
        "colours, drawn": kernel_distance(pictures[0], pictures[2]),
        "colours, seen": kernel_distance(pictures[1], pictures[2]),
    }


def _drawn(options: Options, net: r3gan.Pair, given: dict[str, Tensor]) -> Tensor:
    """A picture for each caption, from seeds 0, 1, ..."""
    z = torch.from_numpy(starting_noise(list(range(len(given["x"]))), (options.latent,)))
    drawn: Tensor = net.generator(z, given["words"], given["words_on"]).float()
    return drawn


def as_pixels(drawn: Tensor) -> np.ndarray:
    """Pictures (B, 4, S, S) in [-1, 1] as (B, S, S, 4) uint8."""
    return drawn.clamp(-1, 1).add(1).mul(127.5).round().byte().permute(0, 2, 3, 1).numpy()


def preview(options: Options, material: Material, net: nn.Module, count: int = 16) -> np.ndarray:
    """Pictures of fixed held-out and seen captions from seeds 0, 1, ..., (count, S, S, 4) uint8, premultiplied."""
    assert isinstance(net, r3gan.Pair)
    rows = material.preview_rows(count)
    given = told(material, rows, material.captions[rows, 0], np.zeros(len(rows), bool))
    return as_pixels(_drawn(options, net, given))


def describe(options: Options) -> dict[str, Any]:
    """What a checkpoint's header says of the network."""
    return {"architecture": ARCHITECTURE, "options": network_options(options).model_dump()}
