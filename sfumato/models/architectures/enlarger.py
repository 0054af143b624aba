"""A small convolutional net that makes a drawn picture larger, with crisp edges and true transparency.

Plain residual blocks without normalisation (EDSR, Lim et al. 2017, arXiv 1707.02921) work on the small
picture's own grid; a sub-pixel layer (Shi et al. 2016, arXiv 1609.05158) puts what they found on top of a
bilinear enlargement. All four channels, colours already multiplied by alpha, go through together.
"""

import torch
import torch.nn.functional as F
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor, nn


class Options(BaseModel):
    """What is chosen once for a network and stored in its checkpoint's header."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    size: int = Field(32, ge=2, le=512, description="side of the picture that comes in, in pixels")
    times: int = Field(4, ge=2, le=8, description="how much larger the picture that comes out is")
    width: int = Field(48, ge=8, le=256, description="channels of the residual blocks")
    depth: int = Field(6, ge=1, le=32, description="number of residual blocks")


class Block(nn.Module):
    """Two convolutions whose outcome is added back."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(width, width, 3, padding=1)
        self.second = nn.Conv2d(width, width, 3, padding=1)
        with torch.no_grad():
            self.second.weight.mul_(0.1)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.second(F.relu(self.first(x)))


class Enlarger(nn.Module):
    """Predicts the large picture from the small one."""

    def __init__(self, options: Options) -> None:
        super().__init__()
        self.options = options
        self.tokens = options.size**2  # every weight of the blocks meets every pixel
        width = options.width
        self.pixels_in = nn.Conv2d(4, width, 3, padding=1)
        self.blocks = nn.Sequential(*(Block(width) for _ in range(options.depth)))
        self.pixels_out = nn.Conv2d(width, 4 * options.times**2, 3, padding=1)
        nn.init.zeros_(self.pixels_out.weight)
        if self.pixels_out.bias is not None:
            nn.init.zeros_(self.pixels_out.bias)

    def forward(self, x: Tensor) -> Tensor:
        """Enlarge x (B, 4, S, S) in [-1, 1], colours times alpha, to (B, 4, times S, times S)."""
        given = self.pixels_in(x)  # (B, W, S, S)
        found = given + self.blocks(given)
        finer = F.pixel_shuffle(self.pixels_out(found), self.options.times)  # (B, 4, times S, times S)
        return F.interpolate(x, scale_factor=float(self.options.times), mode="bilinear") + finer


def example(options: Options, batch: int = 2) -> tuple[Tensor, ...]:
    """Inputs of the shapes that the network takes."""
    return (torch.rand(batch, 4, options.size, options.size) * 2 - 1,)


def build(options: Options) -> Enlarger:
    """Make the network with fresh weights drawn from torch's current random state."""
    return Enlarger(options)
