"""A denoiser as EDM wraps it: what goes in and comes out has variance 1 at every level of noise.

D(x + s n) = c_skip (x + s n) + c_out F(c_in (x + s n), c_noise) (Karras et al. 2022, arXiv 2206.00364, equation 7 and
table 1), around any network of this folder that takes a noisy picture. Written for z = t x + (1 - t) e, which is
t (x + s n) with s = (1 - t) / t, so that the same samplers draw with it; the three factors stay finite at t = 0.
"""

import math
from typing import Literal

import torch
from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator
from torch import Tensor, nn

from sfumato.models.architectures import dit, patch_transformer, unet
from sfumato.models.noise import LEAST_NOISE, MOST_NOISE, falling_noise

INSIDE = {"patch_transformer": patch_transformer, "dit": dit, "unet": unet}
times = falling_noise  # the times at which it is drawn with


class Options(BaseModel):
    """What is chosen once for a network and stored in its checkpoint's header."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    network: Literal["patch_transformer", "dit", "unet"] = Field("patch_transformer", description="what is wrapped")
    size: int = Field(32, ge=8, le=128, description="side of the picture in pixels")
    patch: int = Field(4, ge=2, le=16, description="side of a patch; a unet has none")
    width: int = Field(192, ge=16, le=1152, multiple_of=16, description="channels of a token, or at the finest level")
    depth: int = Field(8, ge=1, le=32, description="blocks; of each level in a unet")
    spread: float = Field(0.5, gt=0, le=2, description="standard deviation of the pictures, sigma_data")
    text_width: int = Field(384, ge=1, description="channels of one text token")
    text_length: int = Field(20, ge=1, le=77, description="text tokens at most")

    @field_validator("patch")
    @classmethod
    def _divides(cls, patch: int, info: ValidationInfo) -> int:
        if info.data.get("network") != "unet" and info.data.get("size", patch) % patch:
            raise ValueError(f"the side of the picture, {info.data['size']}, is no multiple of it")
        return patch


class Preconditioned(nn.Module):
    """Predicts the clean picture from a noisy one, the time, words and a reference picture."""

    def __init__(self, options: Options) -> None:
        super().__init__()
        self.options = options
        wanted = INSIDE[options.network].Options
        shape = {name: value for name, value in options.model_dump().items() if name in wanted.model_fields}
        self.net: nn.Module = INSIDE[options.network].build(wanted(**shape))

    @property
    def fused_attention(self) -> bool:
        """Whether attention is one operation, where the wrapped network leaves the choice."""
        return bool(getattr(self.net, "fused_attention", False))

    @fused_attention.setter
    def fused_attention(self, wanted: bool) -> None:
        """Choose it where there is a choice."""
        if hasattr(self.net, "fused_attention"):
            self.net.fused_attention = wanted  # type: ignore[assignment]

    def forward(
        self, x: Tensor, t: Tensor, text: Tensor, text_mask: Tensor, reference: Tensor, reference_on: Tensor
    ) -> Tensor:
        """Draw: x and reference (B, 4, S, S) in [-1, 1], t and reference_on (B), text (B, T, D), mask (B, T)."""
        moment = t.float()[:, None, None, None]
        spread = self.options.spread
        size = ((1 - moment) ** 2 + (moment * spread) ** 2).sqrt()  # standard deviation of z, (B, 1, 1, 1)
        found = self.net(x / size, heard(t), text, text_mask, reference, reference_on)
        drawn: Tensor = x * moment * spread**2 / size**2 + found.float() * spread * (1 - moment) / size
        return drawn  # (B, 4, S, S)


def heard(t: Tensor) -> Tensor:
    """Times (B) as the wrapped network hears them: the noise's logarithm, scaled from its usual range to [0, 1]."""
    noise = ((1 - t.float()) / t.float().clamp(min=1e-6)).clamp(LEAST_NOISE, MOST_NOISE).log()
    return (noise - math.log(LEAST_NOISE)) / math.log(MOST_NOISE / LEAST_NOISE)


def example(options: Options, batch: int = 2) -> tuple[Tensor, ...]:
    """Inputs of the shapes that the network takes, in the order of `forward`."""
    pixels = batch, 4, options.size, options.size
    text = torch.rand(batch, options.text_length, options.text_width)
    mask = torch.ones(batch, options.text_length)
    return torch.rand(pixels), torch.rand(batch), text, mask, torch.rand(pixels), torch.ones(batch)


def build(options: Options) -> Preconditioned:
    """Make the network with fresh weights drawn from torch's current random state."""
    return Preconditioned(options)
