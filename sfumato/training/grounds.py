"""Pictures of a transparent ground, laid on plain ones that their captions then name."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from sfumato.data.captions import GROUNDS
from sfumato.data.freeze import ItemLine

SPREAD = 20  # levels of 255 by which a ground may differ from the colour that names it, each way
SEEN_THROUGH = 0.05  # share of a picture that a ground has to show through, or its caption would tell of nothing


@dataclass(frozen=True)
class Grounds:
    """Which pictures of a batch lie on a ground: (K) places, the names of their colours, colours (K, 3) in [-1, 1]."""

    places: np.ndarray
    names: list[str]
    colours: np.ndarray

    def named(self) -> dict[int, str]:
        """The colour's name by place."""
        return {int(place): name for place, name in zip(self.places, self.names, strict=True)}


def draw_grounds(random: np.random.Generator, x: Tensor, told: np.ndarray, share: float) -> Grounds:
    """Grounds for a `share` of those pictures (B, 4, S, S) that are `told` by words and show what is behind them."""
    chosen, picks = random.random(len(x)) < share, random.integers(0, len(GROUNDS), len(x))
    shades = random.uniform(-SPREAD, SPREAD, (len(x), 3))
    places = np.flatnonzero(chosen & told & see_through(x))
    names = [list(GROUNDS)[picks[place]] for place in places]
    colours = np.array([GROUNDS[name] for name in names], np.float64).reshape(-1, 3) + shades[places]
    return Grounds(places, names, (colours.clip(0, 255) / 127.5 - 1).astype(np.float32))


def see_through(x: Tensor) -> np.ndarray:
    """Which of these pictures (B, 4, S, S) a ground would show through, (B) bool."""
    found: np.ndarray = ((x[:, 3] < 0.8).float().mean((1, 2)) >= SEEN_THROUGH).numpy()
    return found


def on_ground(line: ItemLine, name: str) -> ItemLine:
    """The same line of a picture that lies on a ground of this name: "red apple on a blue ground"."""
    article = "an" if name[0] in "aeiou" else "a"
    return line.model_copy(update={"name": f"{line.name} on {article} {name} ground".strip()})


def lay(x: Tensor, grounds: Grounds) -> Tensor:
    """Premultiplied pictures (B, 4, S, S) in [-1, 1] over their grounds (Porter and Duff 1984); opaque there."""
    if not len(grounds.places):
        return x
    found, over = x.clone(), x[grounds.places]
    through = (1 - over[:, 3:]) / 2  # (K, 1, S, S)
    behind = (torch.from_numpy(grounds.colours)[:, :, None, None] + 1) * through
    found[grounds.places] = torch.cat([over[:, :3] + behind, torch.ones_like(through)], 1)
    return found
