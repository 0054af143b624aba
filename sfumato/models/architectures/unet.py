"""A convolutional U-Net: down to coarse pictures and up again, with shortcuts, words looked at where it is coarsest.

The shape follows DDPM's network (Ho et al. 2020, arXiv 2006.11239, appendix B) with residual blocks that the time
scales and shifts (Dhariwal and Nichol 2021, arXiv 2105.05233, section 3) and attention to words as in latent
diffusion (Rombach et al. 2022, arXiv 2112.10752, section 3.3). It predicts the clean x from z = t x + (1 - t) e.
"""

from typing import Literal

import torch
import torch.nn.functional as F
from pydantic import BaseModel, ConfigDict, Field, field_validator
from torch import Tensor, nn

from sfumato.models.patches import time_features

HEAD = 32
GROUP = 8  # channels that are normalised together


class Options(BaseModel):
    """What is chosen once for a network and stored in its checkpoint's header."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    size: int = Field(32, ge=8, le=128, description="side of the picture in pixels")
    width: int = Field(48, ge=16, le=512, multiple_of=16, description="channels at the finest level")
    depth: int = Field(2, ge=1, le=8, description="residual blocks of a level")
    levels: int = Field(3, ge=2, le=5, description="levels; each is half as wide and high as the one before")
    text_width: int = Field(384, ge=1, description="channels of one text token")
    text_length: int = Field(20, ge=1, le=77, description="text tokens at most")
    reference: Literal["pixels", "none"] = Field("pixels", description="how the looked-up picture enters")

    @field_validator("levels")
    @classmethod
    def _halves(cls, levels: int, info: object) -> int:
        size = getattr(info, "data", {}).get("size", 2**levels)
        if size % 2 ** (levels - 1):
            raise ValueError(f"the side of the picture, {size}, cannot be halved {levels - 1} times")
        return levels


def norm(channels: int) -> nn.GroupNorm:
    """Groups of a few channels, each normalised over the whole picture."""
    return nn.GroupNorm(channels // GROUP, channels)


class Residual(nn.Module):
    """Two convolutions, scaled and shifted between them by the steering, added to a shortcut."""

    def __init__(self, before: int, after: int, steering: int) -> None:
        super().__init__()
        self.norm_in, self.norm_out = norm(before), norm(after)
        self.conv_in = nn.Conv2d(before, after, 3, padding=1)
        self.conv_out = nn.Conv2d(after, after, 3, padding=1)
        self.steer = nn.Linear(steering, 2 * after)
        self.past = nn.Conv2d(before, after, 1) if before != after else nn.Identity()
        nn.init.zeros_(self.conv_out.weight)

    def forward(self, x: Tensor, steering: Tensor) -> Tensor:
        y = self.conv_in(F.silu(self.norm_in(x)))  # (B, after, s, s)
        shift, scale = self.steer(steering)[:, :, None, None].chunk(2, dim=1)  # (B, after, 1, 1)
        y = F.silu(self.norm_out(y) * (1 + scale) + shift)
        out: Tensor = self.past(x) + self.conv_out(y)
        return out


class Looking(nn.Module):
    """Attention of every place to all places and all words."""

    def __init__(self, channels: int, text: int) -> None:
        super().__init__()
        self.heads = channels // HEAD
        self.norm = norm(channels)
        self.q = nn.Linear(channels, channels)
        self.kv = nn.Linear(channels, 2 * channels)
        self.kv_text = nn.Linear(text, 2 * channels)
        self.out = nn.Linear(channels, channels)
        nn.init.zeros_(self.out.weight)

    def forward(self, x: Tensor, text: Tensor, bias: Tensor) -> Tensor:
        batch, channels, side, _ = x.shape
        flat = self.norm(x).flatten(2).transpose(1, 2)  # (B, s * s, C)
        both = torch.cat([self.kv_text(text), self.kv(flat)], dim=1)  # (B, T + s * s, 2C)
        q = self.q(flat).unflatten(-1, (self.heads, HEAD)).transpose(1, 2)  # (B, heads, s * s, HEAD)
        k, v = both.unflatten(-1, (2, self.heads, HEAD)).permute(2, 0, 3, 1, 4)  # (B, heads, T + s * s, HEAD) each
        y = F.scaled_dot_product_attention(q, k, v, attn_mask=bias.to(q.dtype))
        seen = self.out(y.transpose(1, 2).reshape(batch, side * side, channels))
        return x + seen.transpose(1, 2).reshape(x.shape)


class Level(nn.Module):
    """The residual blocks of one size, with attention where the level is one that looks."""

    def __init__(self, channels: list[tuple[int, int]], steering: int, text: int, *, looks: bool) -> None:
        super().__init__()
        self.residual = nn.ModuleList(Residual(before, after, steering) for before, after in channels)
        self.looking = nn.ModuleList(Looking(after, text) for _, after in channels) if looks else None


class UNet(nn.Module):
    """Predicts the clean picture from a noisy one, the time, words and a reference picture."""

    def __init__(self, options: Options) -> None:
        super().__init__()
        self.options = options
        widths = [options.width * min(2**level, 4) for level in range(options.levels)]
        steering, text = 4 * options.width, options.text_width
        self.time_in = nn.Sequential(nn.Linear(options.width, steering), nn.SiLU(), nn.Linear(steering, steering))
        self.words_in = nn.Linear(text, steering)
        self.picture_in = nn.Conv2d(8 if options.reference == "pixels" else 4, options.width, 3, padding=1)
        self.down, self.up = nn.ModuleList(), nn.ModuleList()
        kept, now = [options.width], options.width
        for level, width in enumerate(widths):
            channels = [(now, width)] + [(width, width)] * (options.depth - 1)
            self.down.append(Level(channels, steering, text, looks=level > 0))
            kept += [width] * options.depth
            now = width
        self.middle = Level([(now, now)], steering, text, looks=True)
        for level in reversed(range(options.levels)):
            channels = []
            for _ in range(options.depth):
                channels.append((now + kept.pop(), widths[level]))
                now = widths[level]
            self.up.append(Level(channels, steering, text, looks=level > 0))
        self.norm_out = norm(now + kept.pop())
        self.picture_out = nn.Conv2d(now + options.width, 4, 3, padding=1)
        nn.init.zeros_(self.picture_out.weight)

    def forward(
        self, x: Tensor, t: Tensor, text: Tensor, text_mask: Tensor, reference: Tensor, reference_on: Tensor
    ) -> Tensor:
        """Draw: x and reference (B, 4, S, S) in [-1, 1], t and reference_on (B), text (B, T, D), mask (B, T)."""
        pixels = x
        if self.options.reference == "pixels":
            pixels = torch.cat([x, reference * reference_on[:, None, None, None]], dim=1)  # (B, 8, S, S)
        there = text_mask.float()[:, :, None]  # (B, T, 1)
        said = (text * there).sum(1) / there.sum(1).clamp(min=1.0)  # (B, D), 0 where nothing is said
        steering = F.silu(self.time_in(time_features(t, self.options.width)) + self.words_in(said))  # (B, 4W)
        told = steering, text, (text_mask.float() - 1.0)[:, None, None, :] * 1e4
        y = self.picture_in(pixels)  # (B, W, S, S)
        kept = [y]
        for number, level in enumerate(self.down):
            y = F.avg_pool2d(y, 2) if number else y  # (B, C, S / 2^number, S / 2^number)
            for place in range(self.options.depth):
                y = step(level, place, y, told)
                kept.append(y)
        y = step(self.middle, 0, y, told)
        for number, level in enumerate(self.up):
            y = F.interpolate(y, scale_factor=2.0) if number else y
            for place in range(self.options.depth):
                y = step(level, place, torch.cat([y, kept.pop()], dim=1), told)
        drawn: Tensor = self.picture_out(F.silu(self.norm_out(torch.cat([y, kept.pop()], dim=1))))
        return drawn  # (B, 4, S, S)


def step(level: nn.Module, place: int, x: Tensor, told: tuple[Tensor, Tensor, Tensor]) -> Tensor:
    """One residual block of a level, and its look at places and words where it has one."""
    assert isinstance(level, Level)
    steering, text, bias = told
    x = level.residual[place](x, steering)
    if level.looking is None:
        return x
    here = torch.zeros(*bias.shape[:3], x.shape[2] * x.shape[3], device=x.device)
    looked: Tensor = level.looking[place](x, text, torch.cat([bias, here], dim=-1))
    return looked


def example(options: Options, batch: int = 2) -> tuple[Tensor, ...]:
    """Inputs of the shapes that the network takes, in the order of `forward`."""
    pixels = batch, 4, options.size, options.size
    text = torch.rand(batch, options.text_length, options.text_width)
    mask = torch.ones(batch, options.text_length)
    return torch.rand(pixels), torch.rand(batch), text, mask, torch.rand(pixels), torch.ones(batch)


def build(options: Options) -> UNet:
    """Make the network with fresh weights drawn from torch's current random state."""
    return UNet(options)
