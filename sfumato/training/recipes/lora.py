"""LoRA: low-rank adapters beside the linear layers of a model that stays as it is (Hu et al. 2021, arXiv 2106.09685).

A layer gives W x + alpha / rank · B A x (equation 3). Only A and B are learnt, B from nought, so that a run
begins with what its parent draws. Pictures, captions, noise and loss are those of the recipe `flow`.
"""

import math
from typing import Any, Literal

import torch
import torch.nn.functional as F
from pydantic import Field
from torch import Tensor, nn

from sfumato.models.fitting import put_into
from sfumato.training.recipes import flow
from sfumato.training.recipes.flow import batch, held_out, losses, preview

__all__ = ["NEEDS_PARENT", "Options", "batch", "begin_from", "build", "describe", "held_out", "losses", "preview"]

NEEDS_PARENT = True  # there is nothing to adapt otherwise
OF_FOLDERS = "diffusers_lora"  # the recipe that takes a parent which is a folder of diffusers
BLOCKS = ("blocks.", "transformer_blocks.")
ATTENTION = {"qkv", "out", "attn1", "attn2"}  # parts of a layer's name


class Options(flow.Options):
    """What is chosen for a run; size, patch, width and depth are those of the model that is adapted."""

    architecture: Literal["patch_transformer", "dit", "pixart"] = Field(
        "patch_transformer", description="that of the model"
    )
    rank: int = Field(8, ge=1, le=128, description="rows of the small matrices")
    alpha: float = Field(8.0, gt=0, le=1024, description="strength; what is learnt counts alpha / rank")
    targets: Literal["attention", "blocks", "all"] = Field("all", description="which linear layers get an adapter")
    optimizer: Literal["muon", "adamw"] = Field("adamw", description="how steps are taken")
    samples: int = Field(6_000, ge=1, description="pictures to learn from, repeats counted")
    lr: float = Field(2e-3, gt=0, le=1, description="highest learning rate")


class Adapted(nn.Module):
    """A linear layer whose own weights stay, with two small matrices beside it."""

    weight: Tensor
    bias: Tensor | None

    def __init__(self, layer: nn.Linear, rank: int, alpha: float) -> None:
        super().__init__()
        self.register_buffer("weight", layer.weight.detach())
        self.register_buffer("bias", None if layer.bias is None else layer.bias.detach())
        self.lora_A = nn.Linear(layer.in_features, rank, bias=False)
        self.lora_B = nn.Linear(rank, layer.out_features, bias=False)
        nn.init.kaiming_uniform_(self.lora_A.weight, math.sqrt(5))
        nn.init.zeros_(self.lora_B.weight)
        self.scale = alpha / rank
        self.in_features, self.out_features = layer.in_features, layer.out_features  # as some who hold it ask

    def forward(self, x: Tensor) -> Tensor:
        return F.linear(x, self.weight, self.bias) + self.lora_B(self.lora_A(x)) * self.scale


def build(options: Options) -> nn.Module:
    """The network with adapters: its parameters are theirs alone, the model's own weights are buffers."""
    net = flow.build(options)
    return put_beside(net, adapted(net, options.targets), options.rank, options.alpha)


def put_beside(net: nn.Module, names: list[str], rank: int, alpha: float) -> nn.Module:
    """Put adapters beside these linear layers, in place; all other weights become buffers, which do not learn."""
    for name in names:
        parent, _, last = name.rpartition(".")
        setattr(net.get_submodule(parent), last, Adapted(net.get_submodule(name), rank, alpha))  # type: ignore[arg-type]
    for name, weight in list(net.named_parameters()):
        parent, _, last = name.rpartition(".")
        if not parent.endswith((".lora_A", ".lora_B")):
            module = net.get_submodule(parent)
            delattr(module, last)
            module.register_buffer(last, weight.detach())
    return net


def adapted(net: nn.Module, targets: str) -> list[str]:
    """Names of the linear layers of a bare network that get an adapter."""
    linear = [name for name, module in net.named_modules() if isinstance(module, nn.Linear)]
    inside = [name for name in linear if name.startswith(BLOCKS)]
    if targets == "blocks":
        return inside
    if targets == "attention":
        return [name for name in inside if set(name.split(".")) & ATTENTION]
    return linear


def begin_from(net: nn.Module, tensors: dict[str, Tensor]) -> None:
    """Put the parent's whole weights, by its names, under the adapters; raises InvalidInput where they do not fit."""
    kept = net.state_dict().keys()  # tables that the architecture computes are not in it
    own = {name: one for name, one in net.named_buffers() if name in kept}
    put_into(own, tensors)


def describe(options: Options) -> dict[str, Any]:
    """What a checkpoint's header says of the network and of the adapter."""
    with torch.device("meta"):
        modules = sorted(adapted(flow.build(options), options.targets))
    facts = {"rank": options.rank, "alpha": options.alpha, "modules": modules}
    return {**flow.describe(options), "adapter": facts, "format": 2}
