"""LoRA on somebody else's model: low-rank adapters beside the denoiser of a folder of diffusers.

`sfumato train lora --from MODEL` takes it where the model is such a folder. A layer gives W x + alpha / rank · B A x,
and only A and B are learnt (Hu et al. 2021, arXiv 2106.09685, equation 3).
"""

from typing import Any, Literal

import torch
from pydantic import Field
from torch import nn

from sfumato.training import denoising
from sfumato.training.denoising import batch, choices, held_out, losses, of_parent, phases, preview
from sfumato.training.encoded import COPIES, load_material, weights_of
from sfumato.training.recipes.lora import begin_from, put_beside
from sfumato.training.weighing import Weighed, refuse, weigh

__all__ = ["Options", "batch", "begin_from", "build", "check", "choices", "describe", "held_out", "load_material",
           "losses", "of_parent", "phases", "preview", "weigh", "weights_of"]  # fmt: skip

NEEDS_PARENT = True
TRIED = False  # a step takes too long to try all ways of taking it
CARD = COPIES  # pixels of pictures in the training card
ATTENTION = ("attn1", "attn2")
BLOCKS = "transformer_blocks"


class Options(denoising.Options):
    """What is chosen for a run; the network is the parent's."""

    rank: int = Field(8, ge=1, le=512, description="rows of the small matrices")
    alpha: float = Field(8.0, gt=0, le=1024, description="strength; what is learnt counts alpha / rank")
    targets: Literal["attention", "blocks", "all"] = Field(
        "attention", description="which linear layers get an adapter: of attention, of transformer blocks, or all"
    )


def build(options: Options) -> nn.Module:
    """The denoiser with adapters: its parameters are theirs alone, the folder's own weights are buffers."""
    net = denoising.build(options)
    return put_beside(net, adapted(net, options.targets), options.rank, options.alpha)


def adapted(net: nn.Module, targets: str) -> list[str]:
    """Names of the linear layers of a bare denoiser that get an adapter."""
    linear = [name for name, module in net.named_modules() if isinstance(module, nn.Linear)]
    if targets == "all":
        return linear
    inside = [name for name in linear if BLOCKS in name.split(".")]
    return inside if targets == "blocks" else [one for one in inside if set(one.split(".")) & set(ATTENTION)]


def check(options: Options, weighed: Weighed | None = None) -> None:
    """Raise InvalidInput where there is no memory for the folder's weights and what learns beside them."""
    refuse(options, 0, weighed)


def describe(options: Options) -> dict[str, Any]:
    """What a checkpoint's header says of the network and of the adapter."""
    with torch.device("meta"):
        modules = sorted(adapted(denoising.build(options), options.targets))
    facts = {"rank": options.rank, "alpha": options.alpha, "modules": modules}
    return {**denoising.describe(options), "adapter": facts}
