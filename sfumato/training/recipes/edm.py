"""EDM: the flow recipe's networks, preconditioned, with a loss that weighs every level of noise alike.

Noise ln(s) ~ N(-1.2, 1.2^2) and the weight (s^2 + d^2) / (s d)^2 of the picture's squared error, d the spread of the
pictures (Karras et al. 2022, arXiv 2206.00364, equation 8 and table 1). With z = t x + (1 - t) e and s = (1 - t) / t,
the time's logit is -ln(s): a logit-normal of mean 1.2, so a batch is drawn as the flow recipe draws it.
"""

from typing import Any, Literal

import numpy as np
import torch
from pydantic import Field
from torch import Tensor, nn

from sfumato.models.architectures import preconditioned
from sfumato.models.noise import falling_noise, starting_noise
from sfumato.training.material import Material
from sfumato.training.recipes import flow

ARCHITECTURE = "preconditioned"
NOISES = (0.1, 0.3, 1.0, 3.0)


class Options(flow.Options):
    """Everything that decides what a run learns; saved with it, so that it can be repeated from it alone."""

    architecture: Literal["patch_transformer", "dit", "unet"] = Field("patch_transformer", description="the network")
    time_mean: float = Field(1.2, ge=-5, le=5, description="mean of the time's logit, -ln(noise); lower is noisier")
    time_std: float = Field(1.2, gt=0, le=5, description="spread of the time's logit")
    spread: float = Field(0.5, gt=0, le=2, description="standard deviation of the pictures' values in [-1, 1]")


def build(options: Options) -> nn.Module:
    """The network, with weights from torch's present random state."""
    return preconditioned.build(network_options(options))


def network_options(options: Options) -> preconditioned.Options:
    """What the recipe's options mean for the network."""
    width = options.width // 4 if options.architecture == "unet" else options.width
    return preconditioned.Options(
        network=options.architecture, size=options.size, patch=options.patch, width=width, depth=options.depth,
        spread=options.spread,
    )  # fmt: skip


def batch(options: Options, material: Material, position: int) -> dict[str, Tensor]:
    """The batch that starts at sample `position`: the same at any time, on any attempt."""
    given = flow.batch(options, material, position)
    given["spread"] = torch.full((len(given["x"]),), options.spread)
    return given


def losses(net: nn.Module, given: dict[str, Tensor]) -> Tensor:
    """The weighted squared error of each picture, (B)."""
    t, spread = given["t"], given["spread"]
    z = t[:, None, None, None] * given["x"] + (1 - t)[:, None, None, None] * given["noise"]
    drawn = net(z, t, given["words"], given["words_on"], given["reference"], given["reference_on"])
    noise = (1 - t) / t.clamp(min=1e-6)
    return ((drawn - given["x"]) ** 2).mean((1, 2, 3)) * (noise**2 + spread**2) / (noise * spread) ** 2


def held_out(options: Options, material: Material, net: nn.Module) -> dict[str, float]:
    """Mean loss on fixed held-out pictures and fixed noise, for four levels of noise (0 is clean)."""
    rows = material.held_out[: options.held_out]
    if len(rows) == 0:
        return {}
    given = material.tensors(rows, material.captions[rows, 0], flow.best(material, rows), np.zeros(len(rows), bool))
    given["noise"] = torch.from_numpy(starting_noise(list(range(len(rows))), tuple(given["x"].shape[1:])))
    given["spread"] = torch.full((len(rows),), options.spread)
    found = {}
    for level in NOISES:
        given["t"] = torch.full((len(rows),), 1 / (1 + level))
        found[f"noise={level}"] = float(losses(net, given).mean())
    return found


def preview(options: Options, material: Material, net: nn.Module, count: int = 16) -> np.ndarray:
    """Pictures of fixed held-out and seen captions from seeds 0, 1, ..., (count, S, S, 4) uint8, premultiplied."""
    return flow.sketch(material, net, falling_noise(12), count)


def describe(options: Options) -> dict[str, Any]:
    """What a checkpoint's header says of the network."""
    return {"architecture": ARCHITECTURE, "options": network_options(options).model_dump()}
