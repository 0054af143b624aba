"""Phases: the parts of a step, each of which moves its own weights by its own loss with its own optimisers."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from sfumato.models.muon import GroupedMuon


def optimizers(net: nn.Module, options: Any) -> list[torch.optim.Optimizer]:
    """Muon (Jordan et al. 2024) for the blocks' matrices and AdamW for the rest, or AdamW for all."""
    matrices = [weight for name, weight in net.named_parameters() if _is_matrix(name, weight)]
    if options.optimizer == "adamw" or not matrices:
        return [torch.optim.AdamW(net.parameters(), options.lr, (0.9, 0.95), weight_decay=0.0)]
    taken = {id(weight) for weight in matrices}
    rest = [weight for weight in net.parameters() if id(weight) not in taken]
    muon = GroupedMuon(matrices, options.lr, weight_decay=0.0, adjust_lr_fn="match_rms_adamw")
    return [muon, torch.optim.AdamW(rest, options.lr, (0.9, 0.95), weight_decay=0.0)]


def _is_matrix(name: str, weight: Tensor) -> bool:
    """Whether a weight multiplies the tokens in one of the network's blocks."""
    return weight.ndim == 2 and name.endswith(".weight") and bool({"blocks", "transformer_blocks"} & {*name.split(".")})


def rate(options: Any, samples_seen: int) -> float:
    """The learning rate after so many samples: a linear rise, a plateau, a linear fall to zero."""
    share = samples_seen / options.samples
    rise = min(1.0, (samples_seen + options.batch) / max(options.warmup * options.samples, 1))
    fall = min(1.0, max(0.0, 1 - share) / options.decay) if options.decay else 1.0
    return float(options.lr * rise * fall)


def by_rate(options: Any, samples_seen: int) -> dict[str, Any]:
    """Settings of every optimiser of a recipe that says nothing else: the rate alone changes."""
    return {"lr": rate(options, samples_seen)}


@dataclass(frozen=True)
class Phase:
    """One part of a step: whose weights move, and by what."""

    name: str
    losses: Callable[[nn.Module, dict[str, Tensor]], Tensor]  # (whole network, batch) -> (B)
    part: str = ""  # attribute of the network whose weights move; "" is all of it
    optimizers: Callable[[nn.Module, Any], list[torch.optim.Optimizer]] = optimizers  # (part, options)
    settings: Callable[[Any, int], dict[str, Any]] = by_rate  # (options, samples seen) -> of every parameter group

    def moved(self, net: nn.Module) -> nn.Module:
        """The part of the network whose weights this phase moves."""
        return net.get_submodule(self.part)


def phases_of(recipe: Any, options: Any) -> tuple[Phase, ...]:
    """The phases of a step in their order; a recipe that has none has one for all of its network."""
    if hasattr(recipe, "phases"):
        found: tuple[Phase, ...] = tuple(recipe.phases(options))
        return found
    return (Phase("", recipe.losses),)


def drawer(recipe: Any, net: nn.Module) -> nn.Module:
    """The part that draws, which is averaged and kept: all of the network, unless the recipe names a part."""
    return net.get_submodule(getattr(recipe, "DRAWER", ""))
