"""A generator that draws in one call, and the discriminator that it learns against: plain residual blocks.

The shape follows R3GAN (Huang et al. 2024, arXiv 2501.05441, section 4 and figure 4): blocks of 1x1, grouped 3x3 and
1x1 convolutions without normalisation, started by fix-up (Zhang et al. 2019, arXiv 1901.09321), bilinear resampling,
a learnt 4x4 basis that noise and words weigh, and in the discriminator one weighted sum of 4x4 places. Words enter
as their mean. The checkpoint keeps the generator alone.
"""

import math
from itertools import pairwise
from typing import Literal, Self

import torch
import torch.nn.functional as F
from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator
from torch import Tensor, nn

GROUP = 16  # channels of one group of a grouped convolution
WIDER = 2  # times as many channels inside a block
SLOPE = 0.2
GAIN = math.sqrt(2 / (1 + SLOPE**2))  # keeps the variance through a leaky ReLU (He et al. 2015)
SAID = 64  # channels of what the words say
LEAST = 4  # side of the coarsest stage
ONE_CALL = True  # a picture is drawn by one call, from noise of another shape than the picture


class Options(BaseModel):
    """What is chosen once for a network and stored in its checkpoint's header."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    size: int = Field(32, ge=8, le=128, description="side of the picture in pixels: 4, doubled a few times")
    width: int = Field(16, ge=16, le=512, multiple_of=16, description="channels at the finest stage")
    most: int = Field(128, ge=16, le=1024, multiple_of=16, description="channels of a stage at most")
    depth: int = Field(1, ge=1, le=8, description="blocks of a stage")
    fold: int = Field(1, ge=1, le=4, description="side of what the finest stage sees as one place, in pixels")
    latent: int = Field(64, ge=4, le=512, description="numbers of noise")
    words: Literal["mean", "none"] = Field("mean", description="what it is told of the words")
    text_width: int = Field(384, ge=1, description="channels of one text token")
    text_length: int = Field(20, ge=1, le=77, description="text tokens at most")

    @field_validator("size")
    @classmethod
    def _doubles(cls, size: int) -> int:
        if size & (size - 1):
            raise ValueError(f"{size} is not 4 doubled a few times")
        return size

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.fold == 3 or self.size // self.fold < LEAST:
            raise ValueError(f"fold {self.fold} does not fit {self.size} pixels: 1, 2 or 4, and {LEAST} places or more")
        return self

    @property
    def widths(self) -> list[int]:
        """Channels of each stage, the coarsest (4x4) first."""
        stages = int(math.log2(self.size // self.fold // LEAST)) + 1
        return [min(self.width * 2**stage, max(self.most, self.width)) for stage in reversed(range(stages))]


def begun(layer: nn.Conv2d | nn.Linear, gain: float) -> nn.Conv2d | nn.Linear:
    """The layer with weights of variance gain^2 / inputs and no bias at first; gain 0 is all nought."""
    inputs = layer.weight[0].numel()
    nn.init.normal_(layer.weight, std=gain / math.sqrt(inputs))
    if layer.bias is not None:
        nn.init.zeros_(layer.bias)
    return layer


class Block(nn.Module):
    """1x1 wider, 3x3 in groups, 1x1 back, added to what came in; nothing at first."""

    def __init__(self, width: int, blocks: int) -> None:
        super().__init__()
        inner, gain = WIDER * width, GAIN * blocks**-0.25  # three layers: L^(-1 / (2 * 3 - 2))
        self.widen = begun(nn.Conv2d(width, inner, 1), gain)
        self.look = begun(nn.Conv2d(inner, inner, 3, padding=1, groups=inner // GROUP), gain)
        self.narrow = begun(nn.Conv2d(inner, width, 1, bias=False), 0.0)

    def forward(self, x: Tensor) -> Tensor:
        y = F.leaky_relu(self.widen(x), SLOPE)  # (B, 2W, s, s)
        y = F.leaky_relu(self.look(y), SLOPE)
        out: Tensor = x + self.narrow(y)
        return out


class Words(nn.Module):
    """The mean of the words that are there, of length 1, as a few channels; nought where nothing is said."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.out = begun(nn.Linear(width, SAID, bias=False), math.sqrt(width))  # each of variance 1

    def forward(self, text: Tensor, text_mask: Tensor) -> Tensor:
        there = text_mask.float()[:, :, None]  # (B, T, 1)
        mean = (text * there).sum(1) / there.sum(1).clamp(min=1.0)  # (B, D)
        said: Tensor = self.out(F.normalize(mean, dim=1, eps=1e-6))  # (B, SAID)
        return said


class Generator(nn.Module):
    """Draws a picture from noise and words, coarse first."""

    def __init__(self, options: Options) -> None:
        super().__init__()
        self.options = options
        widths, blocks = options.widths, options.depth * len(options.widths)
        told = options.latent + (SAID if options.words == "mean" else 0)
        self.words = Words(options.text_width) if options.words == "mean" else None
        self.basis = nn.Parameter(torch.randn(widths[0], LEAST, LEAST))
        self.weigh = begun(nn.Linear(told, widths[0], bias=False), 1.0)
        self.stages = nn.ModuleList(
            nn.Sequential(*(Block(width, blocks) for _ in range(options.depth))) for width in widths
        )
        self.between = nn.ModuleList(
            begun(nn.Conv2d(before, after, 1, bias=False), 1.0) for before, after in pairwise(widths)
        )
        self.picture_out = begun(nn.Conv2d(widths[-1], 4 * options.fold**2, 1), 0.5)

    def forward(self, z: Tensor, text: Tensor, text_mask: Tensor) -> Tensor:
        """Draw: noise z (B, latent), text (B, T, D), which of it is there (B, T); gives (B, 4, S, S) in [-1, 1]."""
        told = z if self.words is None else torch.cat([z, self.words(text, text_mask)], dim=1)  # (B, Z + SAID)
        y = self.basis * self.weigh(told)[:, :, None, None]  # (B, C, 4, 4)
        for number, stage in enumerate(self.stages):
            if number:
                y = self.between[number - 1](y)  # (B, next C, s, s): fewer channels before there are more places
                y = F.interpolate(y, scale_factor=2.0, mode="bilinear", align_corners=False)
            y = stage(y)
        return F.pixel_shuffle(self.picture_out(y), self.options.fold)  # each place into fold x fold pixels


class Discriminator(nn.Module):
    """Says how real a picture of such words looks; only differences between pictures mean anything."""

    def __init__(self, options: Options) -> None:
        super().__init__()
        widths, blocks = options.widths[::-1], options.depth * len(options.widths)
        self.words = Words(options.text_width) if options.words == "mean" else None
        self.fold = options.fold
        self.picture_in = begun(nn.Conv2d(4 * options.fold**2, widths[0], 1), 1.0)
        self.stages = nn.ModuleList(
            nn.Sequential(*(Block(width, blocks) for _ in range(options.depth))) for width in widths
        )
        self.between = nn.ModuleList(
            begun(nn.Conv2d(before, after, 1, bias=False), 1.0) for before, after in pairwise(widths)
        )
        self.sum = begun(nn.Conv2d(widths[-1], widths[-1], LEAST, groups=widths[-1], bias=False), 1.0)
        self.out = begun(nn.Linear(widths[-1], SAID if self.words else 1, bias=False), 1.0)

    def forward(self, x: Tensor, text: Tensor, text_mask: Tensor) -> Tensor:
        """Judge pictures x (B, 4, S, S) in [-1, 1] of text (B, T, D), which of it is there (B, T); gives (B)."""
        return self.tell(self.look(x), text, text_mask)

    def look(self, x: Tensor) -> Tensor:
        """What is seen in pictures x (B, 4, S, S), as W numbers each (B, W): convolutions and leaky ReLUs."""
        y = self.picture_in(F.pixel_unshuffle(x, self.fold))  # (B, W, S / fold, S / fold)
        for number, stage in enumerate(self.stages):
            if number:
                y = F.interpolate(y, scale_factor=0.5, mode="bilinear", align_corners=False)  # (B, C, s / 2, s / 2)
                y = self.between[number - 1](y)
            y = stage(y)
        seen: Tensor = self.sum(y).flatten(1)
        return seen

    def tell(self, seen: Tensor, text: Tensor, text_mask: Tensor) -> Tensor:
        """The scores (B) of what was seen (B, W), in which they are linear, for such words."""
        found: Tensor = self.out(seen)  # (B, SAID), or (B, 1) where there are no words
        if self.words is None:
            return found[:, 0]
        said = self.words(text, text_mask)
        return (found * (1 + said)).sum(1) / math.sqrt(SAID)


class Pair(nn.Module):
    """Both networks, as they learn."""

    def __init__(self, options: Options) -> None:
        super().__init__()
        self.generator = Generator(options)
        self.discriminator = Discriminator(options)


def example(options: Options, batch: int = 2) -> tuple[Tensor, ...]:
    """Inputs of the shapes that the generator takes, in the order of `forward`."""
    text = torch.rand(batch, options.text_length, options.text_width)
    return torch.randn(batch, options.latent), text, torch.ones(batch, options.text_length)


def build(options: Options) -> Generator:
    """Make the generator with fresh weights drawn from torch's current random state."""
    return Generator(options)
