"""A plain pixel-space transformer that draws small RGBA pictures from words and one reference picture.

The shape follows JiT (Li and He 2025, arXiv 2511.13720): patches of pixels in, patches of the clean
picture out, no autoencoder, no adaptive normalisation. Time and words are tokens of the same sequence.
A reference picture, looked up in the training data by its caption, enters beside the noisy pixels
(retrieval as in RDM, Blattmann et al. 2022, arXiv 2204.11824), so what a picture leans on is known.
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
    width: int = Field(256, ge=64, le=1024, multiple_of=64, description="channels of a token")
    depth: int = Field(8, ge=1, le=32, description="number of blocks")
    bottleneck: int = Field(96, ge=16, le=512, description="channels between pixels and token")
    text_width: int = Field(384, ge=1, description="channels of one text token")
    text_length: int = Field(20, ge=1, le=77, description="text tokens at most")
    reference: Literal["pixels", "none"] = Field("pixels", description="how the looked-up picture enters")

    @field_validator("patch")
    @classmethod
    def _divides(cls, patch: int, info: ValidationInfo) -> int:
        if info.data.get("size", patch) % patch:
            raise ValueError(f"the side of the picture, {info.data['size']}, is no multiple of it")
        return patch


def rotary_angles(side: int) -> Tensor:
    """Angles of two-dimensional rotary positions for a grid of `side` x `side` patches, (N, HEAD / 2)."""
    frequencies = 1.0 / 100.0 ** (torch.arange(HEAD // 4) / (HEAD // 4))  # (HEAD / 4)
    place = torch.arange(side, dtype=torch.float32)
    rows = (place[:, None] * frequencies).repeat_interleave(side, 0)  # (N, HEAD / 4)
    columns = (place[:, None] * frequencies).repeat(side, 1)  # (N, HEAD / 4)
    return torch.cat([rows, columns], dim=1)


def rotate(x: Tensor, scale: Tensor, cosine: Tensor, sine: Tensor) -> Tensor:
    """Scale the channels of x (..., T, HEAD) and turn them in pairs by position (Su et al. 2021, equation 34).

    Scales and angles are put together first, in a table (..., T, HEAD) as small as one head, so that what is
    as large as the batch is only multiplied and added in its own number format.
    """
    first, second = scale.chunk(2, dim=-1)
    near = torch.cat([first * cosine, second * cosine], dim=-1).to(x.dtype)
    far = torch.cat([-second * sine, first * sine], dim=-1).to(x.dtype)
    return torch.addcmul(x * near, torch.cat(x.chunk(2, dim=-1)[::-1], dim=-1), far)


class Block(nn.Module):
    """Attention and a two-layer perceptron, each on normalised tokens and added back."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.heads = width // HEAD
        self.qkv = nn.Linear(width, 3 * width, bias=False)
        self.out = nn.Linear(width, width, bias=False)
        self.up = nn.Linear(width, 4 * width)
        self.down = nn.Linear(4 * width, width)
        self.q_scale = nn.Parameter(torch.full((HEAD,), 1.0))
        self.k_scale = nn.Parameter(torch.full((HEAD,), 1.0))
        nn.init.zeros_(self.out.weight)
        nn.init.zeros_(self.down.weight)
        nn.init.zeros_(self.down.bias)

    def forward(self, x: Tensor, cosine: Tensor, sine: Tensor, bias: Tensor, fused: bool) -> Tensor:
        batch, length, width = x.shape
        qkv = self.qkv(normalised(x))  # (B, T, 3W)
        qkv = qkv.reshape(batch, length, 3, self.heads, HEAD).permute(2, 0, 3, 1, 4)  # (3, B, heads, T, HEAD)
        scales = torch.stack([self.q_scale * HEAD**-0.5, self.k_scale])[:, None, None, None]
        both = F.layer_norm(qkv[:2].contiguous(), (HEAD,))  # (2, B, heads, T, HEAD)
        q, k = rotate(both, scales, cosine, sine).unbind(0)
        y = attend(q, k, qkv[2], bias, fused)  # (B, heads, T, HEAD)
        x = x + self.out(y.transpose(1, 2).reshape(batch, length, width))
        return x + self.down(F.gelu(self.up(normalised(x))))


def normalised(x: Tensor) -> Tensor:
    """Tokens (..., W) of mean 0 and variance 1, in the number format that the next product takes.

    In autocast that product would round them anyway; rounding what comes in instead halves what is read and
    written here. Mean and variance are taken and kept in float32, which the weights of 1 ask for.
    """
    width = x.shape[-1:]
    if not torch.is_autocast_enabled(x.device.type):
        return F.layer_norm(x, width)
    narrow = x.to(torch.get_autocast_dtype(x.device.type))
    return F.layer_norm(narrow, width, torch.ones(width, device=x.device), torch.zeros(width, device=x.device))


def attend(q: Tensor, k: Tensor, v: Tensor, bias: Tensor, fused: bool) -> Tensor:
    """Softmax attention of (B, heads, T, HEAD), q scaled already; `bias` (B, 1, 1, T) is 0 or a large negative number.

    Two products and a softmax are several times faster than the fused kernel's backward in bf16 on a
    CPU; the fused one wins elsewhere. Both give the same values within rounding.
    """
    if fused:
        return F.scaled_dot_product_attention(q, k, v, attn_mask=bias.to(q.dtype), scale=1.0)
    scores = q @ k.transpose(-2, -1)
    return torch.softmax(scores.float() + bias, dim=-1).to(v.dtype) @ v


class PatchTransformer(nn.Module):
    """Predicts the clean picture from a noisy one, the time, words and a reference picture."""

    cosine: Tensor
    sine: Tensor

    def __init__(self, options: Options) -> None:
        super().__init__()
        self.options = options
        self.fused_attention = False
        self.tokens = 1 + options.text_length + (options.size // options.patch) ** 2
        width, cell = options.width, 4 * options.patch**2
        self.side = options.size // options.patch
        pixels_in = cell * (2 if options.reference == "pixels" else 1)
        self.patch_in = nn.Sequential(nn.Linear(pixels_in, options.bottleneck), nn.Linear(options.bottleneck, width))
        self.text_in = nn.Sequential(nn.Linear(options.text_width, width), nn.GELU(), nn.Linear(width, width))
        self.time_in = nn.Sequential(nn.Linear(width, width), nn.SiLU(), nn.Linear(width, width))
        self.text_place = nn.Parameter(torch.randn(options.text_length, width) * 0.02)
        self.patch_place = nn.Parameter(torch.randn(self.side**2, width) * 0.02)
        self.blocks = nn.ModuleList(Block(width) for _ in range(options.depth))
        self.patch_out = nn.Linear(width, cell)
        last = nn.Conv2d(16, 4, 3, padding=1)
        self.smooth = nn.Sequential(nn.Conv2d(4, 16, 3, padding=1), nn.GELU(), last)
        nn.init.zeros_(self.patch_out.weight)
        nn.init.zeros_(self.patch_out.bias)
        for weight in (last.weight, *([] if last.bias is None else [last.bias])):
            nn.init.zeros_(weight)
        angles = rotary_angles(self.side)
        still = torch.zeros(1 + options.text_length, HEAD // 2)  # time and words are not turned
        self.register_buffer("cosine", torch.cat([still, angles]).cos(), persistent=False)
        self.register_buffer("sine", torch.cat([still, angles]).sin(), persistent=False)

    def forward(
        self, x: Tensor, t: Tensor, text: Tensor, text_mask: Tensor, reference: Tensor, reference_on: Tensor
    ) -> Tensor:
        """Draw: x and reference (B, 4, S, S) in [-1, 1], t and reference_on (B), text (B, T, D), mask (B, T)."""
        batch = x.shape[0]
        pixels = x
        if self.options.reference == "pixels":
            pixels = torch.cat([x, reference * reference_on[:, None, None, None]], dim=1)  # (B, 8, S, S)
        image = self.patch_in(to_patches(pixels, self.options.patch)) + self.patch_place  # (B, N, W)
        words = self.text_in(text) + self.text_place[: text.shape[1]]  # (B, T, W)
        time = self.time_in(time_features(t, self.options.width))[:, None]  # (B, 1, W)
        tokens = torch.cat([time, words, image], dim=1)  # (B, 1 + T + N, W)
        seen = (
            torch.ones(batch, 1, device=x.device),
            text_mask.float(),
            torch.ones(batch, self.side**2, device=x.device),
        )
        bias = (torch.cat(seen, dim=1) - 1.0)[:, None, None, :] * 1e4  # (B, 1, 1, 1 + T + N)
        cosine, sine = self.cosine[-tokens.shape[1] :], self.sine[-tokens.shape[1] :]
        for block in self.blocks:
            tokens = block(tokens, cosine, sine, bias, self.fused_attention)
        image = F.layer_norm(tokens[:, -(self.side**2) :], (self.options.width,))
        drawn = from_patches(self.patch_out(image), self.options.patch, self.options.size)
        return drawn + self.smooth(drawn)  # (B, 4, S, S)


def example(options: Options, batch: int = 2) -> tuple[Tensor, ...]:
    """Inputs of the shapes that the network takes, in the order of `forward`; an export would merge equal ones."""
    pixels = batch, 4, options.size, options.size
    text = torch.rand(batch, options.text_length, options.text_width)
    mask = torch.ones(batch, options.text_length)
    return torch.rand(pixels), torch.rand(batch), text, mask, torch.rand(pixels), torch.ones(batch)


def build(options: Options) -> PatchTransformer:
    """Make the network with fresh weights drawn from torch's current random state."""
    return PatchTransformer(options)
