"""A diffusion transformer whose blocks are steered by the time: scaled, shifted and gated (adaLN-Zero).

The shape follows DiT (Peebles and Xie 2023, arXiv 2212.09748, section 3.2 and figure 3), on patches of pixels instead
of an autoencoder's codes. Words and their mean steer as well: the mean beside the time, each word as a token of the
same sequence. Like every denoiser here it is given z = t x + (1 - t) e and predicts the clean picture x.
"""

from typing import Literal

import torch
import torch.nn.functional as F
from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator
from torch import Tensor, nn

from sfumato.models.patches import from_patches, time_features, to_patches

HEAD = 64


class Options(BaseModel):
    """What is chosen once for a network and stored in its checkpoint's header."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    size: int = Field(32, ge=8, le=128, description="side of the picture in pixels")
    patch: int = Field(4, ge=2, le=16, description="side of one patch in pixels")
    width: int = Field(192, ge=64, le=1152, multiple_of=64, description="channels of a token")
    depth: int = Field(8, ge=1, le=32, description="number of blocks")
    text_width: int = Field(384, ge=1, description="channels of one text token")
    text_length: int = Field(20, ge=1, le=77, description="text tokens at most")
    reference: Literal["pixels", "none"] = Field("pixels", description="how the looked-up picture enters")

    @field_validator("patch")
    @classmethod
    def _divides(cls, patch: int, info: ValidationInfo) -> int:
        if info.data.get("size", patch) % patch:
            raise ValueError(f"the side of the picture, {info.data['size']}, is no multiple of it")
        return patch


def places(side: int, width: int) -> Tensor:
    """Fixed sines and cosines of row and column for a grid of side x side patches, (N, W)."""
    frequencies = 10_000.0 ** (-torch.arange(width // 4) / (width // 4))  # (W / 4)
    angles = torch.arange(side)[:, None] * frequencies  # (side, W / 4)
    along = torch.cat([angles.sin(), angles.cos()], dim=1)  # (side, W / 2)
    return torch.cat([along.repeat_interleave(side, 0), along.repeat(side, 1)], dim=1)


def steered(x: Tensor, shift: Tensor, scale: Tensor) -> Tensor:
    """Normalised tokens (B, T, W), scaled and shifted by what steers them, (B, 1, W) each."""
    return F.layer_norm(x, x.shape[-1:]) * (1 + scale) + shift


class Block(nn.Module):
    """Attention and a perceptron, each shifted, scaled and gated by six parts of what steers it."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.heads = width // HEAD
        self.qkv = nn.Linear(width, 3 * width)
        self.out = nn.Linear(width, width)
        self.up = nn.Linear(width, 4 * width)
        self.down = nn.Linear(4 * width, width)
        self.steer = nn.Linear(width, 6 * width)
        nn.init.zeros_(self.steer.weight)
        nn.init.zeros_(self.steer.bias)

    def forward(self, x: Tensor, steering: Tensor, bias: Tensor) -> Tensor:
        batch, length, width = x.shape
        shift, scale, gate, shift_up, scale_up, gate_up = self.steer(steering)[:, None].chunk(6, dim=-1)  # (B, 1, W)
        qkv = self.qkv(steered(x, shift, scale)).reshape(batch, length, 3, self.heads, HEAD)
        q, k, v = qkv.permute(2, 0, 3, 1, 4)  # (B, heads, T, HEAD) each
        y = F.scaled_dot_product_attention(q, k, v, attn_mask=bias.to(q.dtype))
        x = x + gate * self.out(y.transpose(1, 2).reshape(batch, length, width))
        return x + gate_up * self.down(F.gelu(self.up(steered(x, shift_up, scale_up)), approximate="tanh"))


class DiT(nn.Module):
    """Predicts the clean picture from a noisy one, the time, words and a reference picture."""

    place: Tensor

    def __init__(self, options: Options) -> None:
        super().__init__()
        self.options = options
        self.side = options.size // options.patch
        width, cell = options.width, 4 * options.patch**2
        self.patch_in = nn.Linear(cell * (2 if options.reference == "pixels" else 1), width)
        self.text_in = nn.Sequential(nn.Linear(options.text_width, width), nn.SiLU(), nn.Linear(width, width))
        self.time_in = nn.Sequential(nn.Linear(width, width), nn.SiLU(), nn.Linear(width, width))
        self.text_place = nn.Parameter(torch.randn(options.text_length, width) * 0.02)
        self.blocks = nn.ModuleList(Block(width) for _ in range(options.depth))
        self.steer_out = nn.Linear(width, 2 * width)
        self.patch_out = nn.Linear(width, cell)
        for last in (self.steer_out, self.patch_out):
            nn.init.zeros_(last.weight)
            nn.init.zeros_(last.bias)
        self.register_buffer("place", places(self.side, width), persistent=False)

    def forward(
        self, x: Tensor, t: Tensor, text: Tensor, text_mask: Tensor, reference: Tensor, reference_on: Tensor
    ) -> Tensor:
        """Draw: x and reference (B, 4, S, S) in [-1, 1], t and reference_on (B), text (B, T, D), mask (B, T)."""
        pixels = x
        if self.options.reference == "pixels":
            pixels = torch.cat([x, reference * reference_on[:, None, None, None]], dim=1)  # (B, 8, S, S)
        image = self.patch_in(to_patches(pixels, self.options.patch)) + self.place  # (B, N, W)
        words = self.text_in(text) + self.text_place[: text.shape[1]]  # (B, T, W)
        there = text_mask.float()[:, :, None]  # (B, T, 1)
        said = (words * there).sum(1) / there.sum(1).clamp(min=1.0)  # (B, W), 0 where nothing is said
        steering = F.silu(self.time_in(time_features(t, self.options.width)) + said)  # (B, W)
        tokens = torch.cat([words, image], dim=1)  # (B, T + N, W)
        seen = torch.cat([text_mask.float(), torch.ones(image.shape[:2], device=x.device)], dim=1)
        bias = (seen - 1.0)[:, None, None, :] * 1e4  # (B, 1, 1, T + N)
        for block in self.blocks:
            tokens = block(tokens, steering, bias)
        shift, scale = self.steer_out(steering)[:, None].chunk(2, dim=-1)
        drawn = self.patch_out(steered(tokens[:, -(self.side**2) :], shift, scale))
        return from_patches(drawn, self.options.patch, self.options.size)  # (B, 4, S, S)


def example(options: Options, batch: int = 2) -> tuple[Tensor, ...]:
    """Inputs of the shapes that the network takes, in the order of `forward`."""
    pixels = batch, 4, options.size, options.size
    text = torch.rand(batch, options.text_length, options.text_width)
    mask = torch.ones(batch, options.text_length)
    return torch.rand(pixels), torch.rand(batch), text, mask, torch.rand(pixels), torch.ones(batch)


def build(options: Options) -> DiT:
    """Make the network with fresh weights drawn from torch's current random state."""
    return DiT(options)
