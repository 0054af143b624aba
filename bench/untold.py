"""What all sides share where nothing is said to the network: pictures from a folder, the network, turns and legs.

It needs torch, numpy, Pillow and pydantic alone, so that a peer's environment runs it: of ours it takes the network.
A *leg* is a run of so many processor seconds, after which pictures are drawn from what was learnt.
"""

import argparse
import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset
from turns import repeat, serve

from sfumato.models.architectures import patch_transformer

AT_ONCE = 100  # pictures drawn together
STEPS = 24  # network calls of a drawing by a solver of second order


class Learning(Protocol):
    """What a side shows: it takes a step, and draws by each of the weights that it keeps."""

    def step(self) -> object: ...
    def draw(self, count: int) -> dict[str, np.ndarray]: ...


class Pictures(Dataset[Tensor]):
    """The PNG files of a folder, each opened anew, (4, S, S) in [-1, 1]."""

    def __init__(self, folder: Path) -> None:
        self.paths = sorted(folder.glob("*.png"))

    def __len__(self) -> int:
        return len(self.paths)

    def __getitem__(self, place: int) -> Tensor:
        with Image.open(self.paths[place]) as opened:
            values = np.asarray(opened.convert("RGBA"), np.float32) / 127.5 - 1
        return torch.from_numpy(np.ascontiguousarray(values.transpose(2, 0, 1)))


def endless(folder: Path, batch: int) -> Iterator[Tensor]:
    """Batches (B, 4, S, S) without end, from a DataLoader with its defaults."""
    loader = DataLoader(Pictures(folder), batch_size=batch, shuffle=True, drop_last=True)
    while True:
        yield from loader


class Untold(nn.Module):
    """Our network with nothing said and nothing to lean on, behind the call (pictures, moment of 1000) of the peers."""

    channels = out_dim = 4
    self_condition = False

    def __init__(self, options: dict[str, Any]) -> None:
        super().__init__()
        self.net = patch_transformer.build(patch_transformer.Options(**options))
        self.net.fused_attention = True

    def forward(self, x: Tensor, moment: Tensor, x_self_cond: Tensor | None = None) -> Tensor:
        """Pictures (B, 4, S, S) in [-1, 1] at moments (B) from 0, clean, to 999, noise; gives (B, 4, S, S)."""
        drawn: Tensor = self.net(x, 1 - moment.float().expand(len(x)) / 1000, *nothing(x))
        return drawn


def nothing(x: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """No words, which of them are there, no picture to lean on, and that it is not there."""
    count = len(x)
    return torch.zeros(count, 0, 384), torch.zeros(count, 0), torch.zeros_like(x), torch.zeros(count)


def as_pixels(drawn: Tensor) -> np.ndarray:
    """Pictures (B, 4, S, S) in [-1, 1] as (B, S, S, 4) uint8."""
    pixels: np.ndarray = drawn.clamp(-1, 1).add(1).mul(127.5).round().byte().permute(0, 2, 3, 1).numpy()
    return pixels


def in_parts(count: int, some: Callable[[int], np.ndarray]) -> np.ndarray:
    """`count` pictures, of which `some` draws up to AT_ONCE at a time."""
    return np.concatenate([some(min(AT_ONCE, count - start)) for start in range(0, count, AT_ONCE)])


def leg_arguments(parser: argparse.ArgumentParser) -> argparse.ArgumentParser:
    """The options of a leg, which all sides share."""
    parser.add_argument("--seconds", type=float, default=0.0, help="learn for so many processor seconds, then draw")
    parser.add_argument("--draw", type=int, default=500, help="how many pictures a leg draws")
    parser.add_argument("--out", type=Path, help="where a leg puts its pictures (.npz) and what it took (.json)")
    return parser


def peer_arguments() -> argparse.ArgumentParser:
    """The options of a peer's program."""
    parser = leg_arguments(argparse.ArgumentParser())
    parser.add_argument("--folder", type=Path, required=True, help="PNG files of the network's size")
    parser.add_argument("--network", type=json.loads, required=True, help="options of our network, as JSON")
    parser.add_argument("--batch", type=int, required=True)
    parser.add_argument("--lr", type=float, default=1e-4)
    parser.add_argument("--seed", type=int, default=0)
    return parser


def play(side: Learning, about: dict[str, Any], given: argparse.Namespace, began: float) -> None:
    """Take turns, or learn for so many processor seconds counted from `began`, draw, and write both down."""
    if not given.seconds:
        serve(about, lambda asked: repeat(side.step, asked))
        return
    taken = 0
    while time.process_time() - began < given.seconds:
        try:
            side.step()
        except StopIteration:
            break
        taken += 1
    spent = time.process_time() - began
    torch.manual_seed(1000)
    drawn = side.draw(given.draw)
    np.savez_compressed(given.out.with_suffix(".npz"), **drawn)  # type: ignore[arg-type]
    said = about | {"steps": taken, "cpu_seconds": round(spent, 1), "drawn_cpu_seconds": round(
        time.process_time() - began - spent, 1)}  # fmt: skip
    draft = given.out.with_suffix(".draft")
    draft.write_text(json.dumps(said, indent=1), encoding="utf-8")
    draft.replace(given.out.with_suffix(".json"))


def parameters(net: nn.Module) -> int:
    """How many numbers a network learns."""
    return sum(weight.numel() for weight in net.parameters())
