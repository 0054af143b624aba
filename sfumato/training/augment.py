"""Changes of pictures that a model may be taught with and yet never draws, since none of them leaks.

All take premultiplied pictures (B, 4, S, S) in [-1, 1], where -1 everywhere is nothing, and random numbers that the
batch's position decides.
"""

import math

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

NUMBERS = 10  # uniform numbers in [0, 1) that one picture's changes take, for `both_sides`
MOVES = 7  # numbers that describe a move to the network
CHANGED = 0.8  # a share of changed pictures below this lets no change leak (Karras et al. 2020, 2006.06676, figure 3)


def both_sides(x: Tensor, chance: Tensor, share: Tensor) -> Tensor:
    """Colour, shift and a hole, each on a share of the pictures, differentiable twice, for real and drawn ones alike.

    DiffAugment's three (Zhao et al. 2020, arXiv 2006.10738, section 4), each left out with 1 - `share` (B), which keeps
    them from leaking (Karras et al. 2020, arXiv 2006.06676, section 2.2); `chance` (B, NUMBERS) are uniform numbers.
    """
    does = (chance[:, :3] < share[:, None]).float()[:, :, None, None, None]  # (B, 3, 1, 1, 1)
    x = x + does[:, 0] * (coloured(x, chance[:, 3:6]) - x)
    x = x + does[:, 1] * (shifted(x, chance[:, 6:8]) - x)
    return x + does[:, 2] * (holed(x, chance[:, 8:10]) - x)


def coloured(x: Tensor, chance: Tensor) -> Tensor:
    """Brightness by up to 0.5, saturation by 0 to 2, contrast by 0.5 to 1.5; alpha stays, nothing gains colour."""
    light, depth, contrast = ((chance - torch.tensor([0.5, 0.0, 0.0])) * torch.tensor([1.0, 2.0, 1.0])).unbind(1)
    colour, alpha = (x[:, :3] + 1) / 2, (x[:, 3:] + 1) / 2
    colour = colour + light[:, None, None, None] * alpha
    grey = colour.mean(1, keepdim=True)
    colour = grey + depth[:, None, None, None] * (colour - grey)
    mean = colour.sum((1, 2, 3), keepdim=True) / (3 * alpha.sum((1, 2, 3), keepdim=True)).clamp(min=1.0)
    colour = mean * alpha + (0.5 + contrast[:, None, None, None]) * (colour - mean * alpha)
    return torch.cat([colour, alpha], 1) * 2 - 1


def shifted(x: Tensor, chance: Tensor) -> Tensor:
    """Whole pixels to a side, up to an eighth of it; what comes in is nothing."""
    count, _, side, _ = x.shape
    most = max(side // 8, 1)
    by = (chance * (2 * most + 1)).long() - most  # (B, 2)
    wide = F.pad(x, (most,) * 4, value=-1.0)
    places = torch.arange(side) + most
    rows, columns = (places + by[:, one, None] for one in range(2))  # (B, S) each
    picked = wide.permute(0, 2, 3, 1)[torch.arange(count)[:, None, None], rows[:, :, None], columns[:, None, :]]
    return picked.permute(0, 3, 1, 2)


def holed(x: Tensor, chance: Tensor) -> Tensor:
    """A square of half the side, anywhere, in which there is nothing."""
    side = x.shape[2]
    centre = chance * side  # (B, 2)
    far = (torch.arange(side) + 0.5 - centre[:, :, None]).abs() > side / 4  # (B, 2, S)
    kept = (far[:, 0, :, None] | far[:, 1, None, :]).float()[:, None]  # (B, 1, S, S)
    return (x + 1) * kept - 1


def draw_moves(random: np.random.Generator, count: int, share: float) -> np.ndarray:
    """Moves (count, MOVES) float32, nought in all but a `share` of the numbers' groups: scale, turn, stretch, shift.

    Ranges and numbers follow EDM's augmentation (Karras et al. 2022, arXiv 2206.00364, appendix F.2 and table 6):
    2^(0.2 n) for the scale and the stretch along an angle, any angle for the turn, 0.125 n of the side for the shift.
    """
    does = random.random((count, 4)) < share
    scale = 0.2 * random.standard_normal(count) * does[:, 0]
    turn = random.uniform(-math.pi, math.pi, count) * does[:, 1]
    along, stretch = random.uniform(-math.pi, math.pi, count), 0.2 * random.standard_normal(count) * does[:, 2]
    shift = 0.125 * random.standard_normal((count, 2)) * does[:, 3, None]
    columns = (scale, np.cos(turn) - 1, np.sin(turn), stretch * np.cos(along), stretch * np.sin(along), *shift.T)
    return np.stack(columns, 1).astype(np.float32)


def moved(x: Tensor, moves: Tensor) -> Tensor:
    """Pictures (B, 4, S, S) scaled, turned, stretched and shifted as `moves` (B, MOVES) say; unmoved ones untouched."""
    scale, cosine, sine = 2 ** moves[:, 0], moves[:, 1] + 1, moves[:, 2]
    size = moves[:, 3:5].norm(dim=1)
    along = torch.atan2(moves[:, 4], moves[:, 3])
    turn = _matrix(cosine, -sine, sine, cosine)
    axis = _matrix(along.cos(), -along.sin(), along.sin(), along.cos())
    wide = _matrix(2**size, torch.zeros_like(size), torch.zeros_like(size), 2**-size)
    there = scale[:, None, None] * (axis @ wide @ axis.mT) @ turn
    back = torch.linalg.inv(there)  # where each place of the new picture was in the old one
    grid = F.affine_grid(torch.cat([back, -back @ (2 * moves[:, 5:7, None])], 2), list(x.shape), align_corners=False)
    found = F.grid_sample(x + 1, grid, align_corners=False) - 1
    return torch.where(moves.any(1)[:, None, None, None], found, x)


def _matrix(a: Tensor, b: Tensor, c: Tensor, d: Tensor) -> Tensor:
    return torch.stack([torch.stack([a, b], 1), torch.stack([c, d], 1)], 1)


def tell_moves(words: Tensor, words_on: Tensor, moves: Tensor, most: int) -> tuple[Tensor, Tensor]:
    """Words (B, T, D) and which are there (B, T), with one more that tells the network of each picture's move.

    It is there for moved pictures alone, so that a drawing, which tells of none, is of none. Its numbers are spread
    over the word's channels by a fixed orthogonal matrix. A network takes `most` words; the last may make room.
    """
    words, words_on = words[:, : most - 1], words_on[:, : most - 1]
    generator = torch.Generator().manual_seed(MOVES)
    spread = torch.linalg.qr(torch.randn(words.shape[2], MOVES, generator=generator))[0]  # (D, MOVES)
    told = moves @ spread.mT * math.sqrt(words.shape[2])
    on = moves.any(1).float()
    return torch.cat([words, told[:, None]], 1), torch.cat([words_on, on[:, None]], 1)
