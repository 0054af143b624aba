"""Pictures as rows of patches, and moments as sines and cosines: what networks of patches share."""

import math

import torch
from torch import Tensor


def time_features(t: Tensor, width: int) -> Tensor:
    """Sines and cosines of the time t (B) in [0, 1], (B, width)."""
    frequencies = torch.exp(torch.arange(width // 2, device=t.device) * (-math.log(1000.0) / (width // 2)))
    angles = 1000.0 * t.float()[:, None] * frequencies
    return torch.cat([angles.cos(), angles.sin()], dim=1)


def to_patches(x: Tensor, patch: int) -> Tensor:
    """Cut (B, C, S, S) into (B, N, C * patch * patch), row by row."""
    batch, channels, side, _ = x.shape
    cells = x.reshape(batch, channels, side // patch, patch, side // patch, patch)
    return cells.permute(0, 2, 4, 1, 3, 5).reshape(batch, -1, channels * patch * patch)


def from_patches(x: Tensor, patch: int, side: int) -> Tensor:
    """Put (B, N, C * patch * patch) together again as (B, C, side, side)."""
    cells = x.reshape(x.shape[0], side // patch, side // patch, -1, patch, patch)
    return cells.permute(0, 3, 1, 4, 2, 5).reshape(x.shape[0], -1, side, side)
