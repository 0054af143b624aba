"""A diffusion transformer with the weights, names and arithmetic of diffusers' class `PixArtTransformer2DModel`.

The shape follows PixArt (Chen et al. 2023, arXiv 2310.00426, section 2.3 and figure 4): blocks of self-attention, of
attention to the words, and of a perceptron; the time steers all of them through one layer of theirs (adaLN-single).
It is given z = t x + (1 - t) e and predicts the clean picture x, which a scheduler of diffusers calls "sample".
No looked-up picture enters: the class has no place for one.
"""

import math
from collections.abc import Callable

import numpy as np
import torch
import torch.nn.functional as F
from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator
from torch import Tensor, nn

HEAD = 64
MOMENTS = 1000  # whole numbers that the time is told in, 0 for a clean picture
FEATURES = 256  # sines and cosines of a moment
EDGE = 2e-4  # of a moment; single precision rounds by less
SHIFT = 2.0
LEANS = False  # on no training picture
INTERVAL = (0.0, 1.0)  # guided at all times, as the class's pipeline does


class Options(BaseModel):
    """What is chosen once for a network and stored in its checkpoint's header."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    size: int = Field(32, ge=8, le=128, description="side of the picture in pixels")
    patch: int = Field(4, ge=2, le=16, description="side of one patch in pixels")
    width: int = Field(192, ge=64, le=1152, multiple_of=64, description="channels of a token")
    depth: int = Field(8, ge=1, le=32, description="number of blocks")
    text_width: int = Field(384, ge=1, description="channels of one text token")
    text_length: int = Field(20, ge=1, le=77, description="text tokens at most")

    @field_validator("patch")
    @classmethod
    def _divides(cls, patch: int, info: ValidationInfo) -> int:
        if info.data.get("size", patch) % patch:
            raise ValueError(f"the side of the picture, {info.data['size']}, is no multiple of it")
        return patch


def times(steps: int) -> list[float]:
    """`steps` + 1 rising times, those of DPMSolverMultistepScheduler with `use_flow_sigmas` and `flow_shift` 2.

    The scheduler cuts each to a whole moment; a time that lies at the edge of one is moved a little way into it.
    """
    even = (1 - np.linspace(1, 1 / MOMENTS, steps + 1))[:0:-1]  # of noise, from 0.999 downwards
    told = SHIFT * even / (1 + (SHIFT - 1) * even) * MOMENTS
    whole = told.astype(np.int64)
    inside = told.clip(whole + EDGE, whole + 1 - EDGE)
    return [1 - float(one) / MOMENTS for one in inside] + [1.0]


def places(side: int, width: int) -> Tensor:
    """Fixed sines and cosines of column and row for a grid of side x side patches, (1, N, W)."""
    frequencies = 10_000.0 ** (-torch.arange(width // 4, dtype=torch.float64) / (width // 4))  # (W / 4)
    angles = torch.arange(side, dtype=torch.float64)[:, None] * frequencies  # (side, W / 4)
    along = torch.cat([angles.sin(), angles.cos()], dim=1)  # (side, W / 2)
    both = torch.cat([along.repeat(side, 1), along.repeat_interleave(side, 0)], dim=1)
    return both.float()[None]


def moments(t: Tensor) -> Tensor:
    """Sines and cosines of times (B) in [0, 1] told as whole moments from 999 to 0, (B, FEATURES)."""
    told = (MOMENTS * (1 - t.float())).floor()
    frequencies = torch.exp(-math.log(10_000.0) * torch.arange(FEATURES // 2, device=t.device) / (FEATURES // 2))
    angles = told[:, None] * frequencies
    return torch.cat([angles.cos(), angles.sin()], dim=1)


class Place(nn.Module):
    """Patches as tokens, each with its place."""

    pos_embed: Tensor

    def __init__(self, options: Options) -> None:
        super().__init__()
        self.proj = nn.Conv2d(4, options.width, options.patch, options.patch)
        self.register_buffer("pos_embed", places(options.size // options.patch, options.width), persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        return self.proj(x).flatten(2).transpose(1, 2) + self.pos_embed  # (B, N, W)


def bent(x: Tensor) -> Tensor:
    """GELU by its approximation with tanh."""
    return F.gelu(x, approximate="tanh")


class TwoLayers(nn.Module):
    """Two linear layers with a curve between them."""

    def __init__(self, inside: int, width: int) -> None:
        super().__init__()
        self.linear_1 = nn.Linear(inside, width)
        self.linear_2 = nn.Linear(width, width)

    def forward(self, x: Tensor, curve: Callable[[Tensor], Tensor]) -> Tensor:
        return self.linear_2(curve(self.linear_1(x)))


class Time(nn.Module):
    """The time as a token (B, W), and as what steers the blocks (B, 6 W)."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.emb = nn.ModuleDict({"timestep_embedder": TwoLayers(FEATURES, width)})
        self.linear = nn.Linear(width, 6 * width)
        nn.init.zeros_(self.linear.weight)
        nn.init.zeros_(self.linear.bias)

    def forward(self, t: Tensor) -> tuple[Tensor, Tensor]:
        told = self.emb["timestep_embedder"](moments(t), F.silu)  # (B, W)
        return told, self.linear(F.silu(told))


class Attention(nn.Module):
    """Attention of tokens (B, T, W) to others (B, S, W), or to themselves."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.to_q = nn.Linear(width, width)
        self.to_k = nn.Linear(width, width)
        self.to_v = nn.Linear(width, width)
        self.to_out = nn.Sequential(nn.Linear(width, width))

    def forward(self, x: Tensor, others: Tensor, bias: Tensor | None = None) -> Tensor:
        batch, length, width = x.shape
        q, k, v = (
            one.reshape(batch, -1, width // HEAD, HEAD).transpose(1, 2)  # (B, heads, T, HEAD)
            for one in (self.to_q(x), self.to_k(others), self.to_v(others))
        )
        y = F.scaled_dot_product_attention(q, k, v, attn_mask=None if bias is None else bias.to(q.dtype))
        return self.to_out(y.transpose(1, 2).reshape(batch, length, width))


class Curved(nn.Module):
    """A linear layer and a GELU."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.proj = nn.Linear(width, 4 * width)

    def forward(self, x: Tensor) -> Tensor:
        return bent(self.proj(x))


class FeedForward(nn.Module):
    """A perceptron of two layers."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.net = nn.Sequential(Curved(width), nn.Identity(), nn.Linear(4 * width, width))

    def forward(self, x: Tensor) -> Tensor:
        return self.net(x)


def steered(x: Tensor, shift: Tensor, scale: Tensor) -> Tensor:
    """Normalised tokens (B, T, W), scaled and shifted by what steers them, (B, 1, W) each."""
    return F.layer_norm(x, x.shape[-1:], eps=1e-6) * (1 + scale) + shift


class Block(nn.Module):
    """Attention to the picture, to the words, and a perceptron; the first and the last are steered and gated."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.scale_shift_table = nn.Parameter(torch.randn(6, width) / width**0.5)
        self.attn1 = Attention(width)
        self.attn2 = Attention(width)
        self.ff = FeedForward(width)
        nn.init.zeros_(self.attn2.to_out[0].weight)  # type: ignore[arg-type]
        nn.init.zeros_(self.attn2.to_out[0].bias)  # type: ignore[arg-type]

    def forward(self, x: Tensor, steering: Tensor, words: Tensor, bias: Tensor) -> Tensor:
        parts = self.scale_shift_table + steering.reshape(len(x), 6, -1)  # (B, 6, W)
        shift, scale, gate, shift_up, scale_up, gate_up = parts.chunk(6, dim=1)  # (B, 1, W) each
        seen = steered(x, shift, scale)
        x = x + gate * self.attn1(seen, seen)
        x = x + self.attn2(x, words, bias)
        return x + gate_up * self.ff(steered(x, shift_up, scale_up))


class PixArt(nn.Module):
    """Predicts the clean picture from a noisy one, the time and words."""

    def __init__(self, options: Options) -> None:
        super().__init__()
        self.options = options
        width = options.width
        self.pos_embed = Place(options)
        self.adaln_single = Time(width)
        self.caption_projection = TwoLayers(options.text_width, width)
        self.transformer_blocks = nn.ModuleList(Block(width) for _ in range(options.depth))
        self.scale_shift_table = nn.Parameter(torch.randn(2, width) / width**0.5)
        self.proj_out = nn.Linear(width, 4 * options.patch**2)
        nn.init.zeros_(self.proj_out.weight)
        nn.init.zeros_(self.proj_out.bias)

    def forward(self, x: Tensor, t: Tensor, text: Tensor, text_mask: Tensor, *leant: Tensor) -> Tensor:
        """Draw: x (B, 4, S, S) in [-1, 1], t (B), text (B, T, D), mask (B, T); what is `leant` on is not looked at.

        Words that are not there are nought, and where none are there all are.
        """
        tokens = self.pos_embed(x)  # (B, N, W)
        told, steering = self.adaln_single(t)  # (B, W), (B, 6 W)
        there = text_mask.float()
        words = self.caption_projection(text * there[:, :, None], bent)  # (B, T, W)
        bias = ((1 - there) * -10_000.0)[:, None, None, :]  # (B, 1, 1, T)
        for block in self.transformer_blocks:
            tokens = block(tokens, steering, words, bias)
        shift, scale = (self.scale_shift_table + told[:, None]).chunk(2, dim=1)
        cells = self.proj_out(steered(tokens, shift, scale))  # (B, N, patch * patch * 4), colours last
        side, patch = self.options.size // self.options.patch, self.options.patch
        grid = cells.reshape(-1, side, side, patch, patch, 4)
        return grid.permute(0, 5, 1, 3, 2, 4).reshape(-1, 4, self.options.size, self.options.size)  # (B, 4, S, S)


def example(options: Options, batch: int = 2) -> tuple[Tensor, ...]:
    """Inputs of the shapes that the network takes, in the order of `forward`."""
    text = torch.rand(batch, options.text_length, options.text_width)
    return torch.rand(batch, 4, options.size, options.size), torch.rand(batch), text, torch.ones(text.shape[:2])


def build(options: Options) -> PixArt:
    """Make the network with fresh weights drawn from torch's current random state."""
    return PixArt(options)
