"""Learning to make drawings four times as large: small, slightly spoilt pictures in, the pictures as they were out.

What comes in is the picture averaged over squares, then blurred, noised and made a little see-through, the way
a small model draws; a share stays clean, so that what is already sharp is kept. The loss is Charbonnier's
(Lai et al. 2017, arXiv 1704.03915, equation 6) on pixels and on their differences, so that edges count twice.
"""

from typing import Any, Literal

import numpy as np
import torch
import torch.nn.functional as F
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor, nn

from sfumato.models.architectures import enlarger
from sfumato.models.resampling import lanczos
from sfumato.training.material import Material, as_tensor

ARCHITECTURE = "enlarger"
WORDS = False  # captions are not looked at
DRAWS_NEW = False  # what it draws should be near to a picture that there is
TIMES = 4
EDGES = 1.0  # weight of the differences between neighbouring pixels
BLURS = (0.0, 0.5, 0.9)
REACH = 3  # pixels that a blur takes in on each side
SWAPS = ((0, 1, 2), (0, 2, 1), (1, 0, 2), (1, 2, 0), (2, 0, 1), (2, 1, 0))


class Options(BaseModel):
    """Everything that decides what a run learns; saved with it, so that it can be repeated from it alone."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    size: int = Field(128, ge=8, le=512, multiple_of=4, description="side of the large picture in pixels")
    width: int = Field(48, ge=8, le=256, description="channels of the blocks")
    depth: int = Field(6, ge=1, le=32, description="residual blocks")
    samples: int = Field(40_000, ge=1, description="pictures to see, counted with repeats")
    batch: int = Field(8, ge=1, le=4096, description="pictures per step")
    optimizer: Literal["adamw"] = Field("adamw", description="how steps are taken")
    lr: float = Field(2e-3, gt=0, le=1, description="highest learning rate")
    warmup: float = Field(0.02, ge=0, le=1, description="share of the samples over which the rate rises")
    decay: float = Field(0.5, ge=0, le=1, description="share of the samples over which it falls to zero")
    clip: float = Field(1.0, gt=0, description="largest norm of the gradient")
    clean: float = Field(0.25, ge=0, le=1, description="share of small pictures that are not spoilt")
    blur: float = Field(0.9, ge=0, le=1.5, description="strongest blur, in pixels of the small picture")
    noise: float = Field(0.03, ge=0, le=1, description="strongest noise, as a share of full brightness")
    ema_short: float = Field(0.05, gt=0, lt=1, description="length of the shorter average, relative to the run")
    ema_long: float = Field(0.10, gt=0, lt=1, description="length of the longer average")
    checkpoint_every: int = Field(2_000, ge=1, description="samples between checkpoints")
    preview_every: int = Field(4_000, ge=1, description="samples between preview grids")
    held_out: int = Field(64, ge=2, description="held-out pictures to measure on")
    seed: int = Field(0, ge=0, lt=2**31, description="of weights, order and noise")


def build(options: Options) -> nn.Module:
    """The network, with weights from torch's present random state."""
    return enlarger.build(network_options(options))


def network_options(options: Options) -> enlarger.Options:
    """What the recipe's options mean for the network."""
    return enlarger.Options(size=options.size // TIMES, times=TIMES, width=options.width, depth=options.depth)


def batch(options: Options, material: Material, position: int) -> dict[str, Tensor]:
    """The batch that starts at sample `position`: the same at any time, on any attempt.

    Words do not matter here, so every picture may be mirrored, turned, and have its colours swapped.
    """
    random = np.random.default_rng((options.seed, 1, position))
    rows = material.order(options.seed, position, options.batch)
    turned = []
    for picture in material.pictures[rows]:
        swap = SWAPS[random.integers(6)] if random.random() < 0.3 else SWAPS[0]
        side = np.rot90(picture, int(random.integers(4)))[..., (*swap, 3)]
        turned.append(side[:, ::-1] if random.random() < 0.5 else side)
    large = as_tensor(np.stack(turned))
    small = spoil(options, F.avg_pool2d(large, TIMES).add(1).div(2), random)
    return {"small": as_drawn(small), "large": large}


def spoil(options: Options, small: Tensor, random: np.random.Generator) -> Tensor:
    """Pictures (B, 4, S, S) in [0, 1] made worse the way drawings are: blurred, noised, a little see-through."""
    count, generator = len(small), torch.Generator().manual_seed(int(random.integers(2**62)))
    strength = random.uniform(0, options.blur, (count, 1))
    drawn = blurred(small, (strength * random.uniform(0.7, 1.3, (count, 2))).clip(max=options.blur))
    solidity = np.where(random.random(count) < 0.3, random.uniform(0.88, 1, count), 1)
    drawn = drawn * torch.from_numpy(solidity).float()[:, None, None, None]
    fine = torch.randn(drawn.shape, generator=generator)
    coarse = torch.randn((count, 4, -(-drawn.shape[2] // 4), -(-drawn.shape[3] // 4)), generator=generator)
    coarse = F.interpolate(coarse, scale_factor=4.0)[..., : drawn.shape[2], : drawn.shape[3]]  # as patches disagree
    loud = torch.from_numpy(random.uniform(0, options.noise, (2, count)) * (random.random((2, count)) < 0.5)).float()
    inside = drawn[:, 3:].clamp(0, 1)  # where nothing is drawn there is little to be wrong
    drawn = drawn + (fine * loud[0, :, None, None, None] + coarse * loud[1, :, None, None, None]) * inside
    kept = torch.from_numpy(random.random(count) < options.clean)[:, None, None, None]
    return torch.where(kept, small, drawn)


@torch.autocast("cpu", enabled=False)  # looks happen under the loop's number format; a blur must be exact
def blurred(pictures: Tensor, widths: np.ndarray) -> Tensor:
    """Each picture (B, C, S, S) under its own Gaussian of standard deviations `widths` (B, 2) in pixels."""
    count, channels, *_ = pictures.shape
    place = torch.arange(-REACH, REACH + 1, dtype=torch.float32)
    sigma = torch.from_numpy(widths).float().clamp(min=0.05)[..., None]  # (B, 2, 1)
    taps = torch.exp(-0.5 * (place / sigma) ** 2)
    taps = (taps / taps.sum(-1, keepdim=True)).repeat_interleave(channels, 0)  # (B C, 2, 7)
    flat = pictures.reshape(1, count * channels, *pictures.shape[2:])
    down = F.conv2d(flat, taps[:, 0, None, :, None], padding=(REACH, 0), groups=count * channels)
    across = F.conv2d(down, taps[:, 1, None, None, :], padding=(0, REACH), groups=count * channels)
    return across.reshape(pictures.shape)


def as_drawn(small: Tensor) -> Tensor:
    """Pictures in [0, 1] as an engine keeps them, alpha nearly 0 or 1 made so and 8 bits deep, in [-1, 1]."""
    alpha = small[:, 3:].clamp(0, 1)
    solid = torch.where(alpha < 0.04, 0.0, torch.where(alpha > 0.96, 1.0, alpha))
    colour = torch.minimum(small[:, :3].clamp(min=0) * (solid / alpha.clamp(min=1e-3)), solid)
    return torch.cat([colour, solid], 1).mul(255).round().div(127.5).sub(1)


def losses(net: nn.Module, given: dict[str, Tensor]) -> Tensor:
    """Charbonnier's distance of pixels and of their differences, for each picture, (B)."""
    gap = net(given["small"]).float() - given["large"]
    return charbonnier(gap) + EDGES * (charbonnier(gap.diff(dim=2)) + charbonnier(gap.diff(dim=3)))


def charbonnier(gap: Tensor) -> Tensor:
    """A smooth absolute value, averaged for each picture, (B)."""
    return (gap**2 + 1e-6).sqrt().mean((1, 2, 3))


def held_out(options: Options, material: Material, net: nn.Module) -> dict[str, float]:
    """Signal to noise in dB on fixed held-out pictures at several blurs, beside Lanczos' on the same."""
    rows = material.held_out[: options.held_out]
    found: dict[str, float] = {}
    if len(rows) == 0:
        return found
    large = as_tensor(material.pictures[rows])
    for blur in BLURS:
        small = smaller(large, blur)
        found[f"dB, blur={blur}"] = decibels(net(small).float(), large)
        found[f"dB, blur={blur}, Lanczos"] = decibels(torch.from_numpy(lanczos(small.numpy(), TIMES)), large)
    return found


def smaller(large: Tensor, blur: float) -> Tensor:
    """Large pictures (B, 4, S, S) in [-1, 1] as small drawings under one blur."""
    small = F.avg_pool2d(large, TIMES).add(1).div(2)
    return as_drawn(blurred(small, np.full((len(small), 2), blur)) if blur else small)


def decibels(drawn: Tensor, true: Tensor) -> float:
    """Peak signal to noise of pictures in [-1, 1], colours times alpha, in dB, averaged over pictures."""
    error = (drawn.clamp(-1, 1) - true).square().mean((1, 2, 3)) / 4
    return float((-10 * error.clamp(min=1e-6).log10()).mean().detach())


def preview(options: Options, material: Material, net: nn.Module, count: int = 16) -> np.ndarray:
    """Fixed held-out and seen pictures enlarged from a blurred copy, (count, S, S, 4) uint8, premultiplied."""
    large = as_tensor(material.pictures[material.preview_rows(count)])
    drawn = net(smaller(large, BLURS[1])).float()
    return drawn.clamp(-1, 1).add(1).mul(127.5).round().byte().permute(0, 2, 3, 1).numpy()


def describe(options: Options) -> dict[str, Any]:
    """What a checkpoint's header says of the network."""
    return {"architecture": ARCHITECTURE, "options": network_options(options).model_dump()}
