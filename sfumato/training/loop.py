"""The loop: knows steps, averages and files, and nothing of what is learnt."""

import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from sfumato.errors import SfumatoError
from sfumato.models.averages import Average
from sfumato.models.muon import GroupedMuon
from sfumato.training.machine import Machine, apply
from sfumato.training.shards import gradients, hands


class Diverged(SfumatoError):
    """The weights ran away; what was kept before is sound, what is in memory is not."""


class Recipe(Protocol):
    """What the loop asks of a recipe's file."""

    def build(self, options: Any) -> nn.Module: ...
    def batch(self, options: Any, material: Any, position: int) -> dict[str, Tensor]: ...
    def losses(self, net: nn.Module, given: dict[str, Tensor]) -> Tensor: ...
    def held_out(self, options: Any, material: Any, net: nn.Module) -> dict[str, float]: ...
    def preview(self, options: Any, material: Any, net: nn.Module) -> np.ndarray: ...
    def describe(self, options: Any) -> dict[str, Any]: ...


@dataclass
class Step:
    """One step's outcome; what is measured or drawn only now and then is there only then."""

    samples_seen: int
    loss: float
    seconds: float
    held_out: dict[str, float] | None = None
    preview: np.ndarray | None = None
    save: bool = False


@dataclass
class Learner:
    """All state of a run: weights, averages, optimisers, and how many samples they have seen."""

    recipe: Any
    options: Any
    machine: Machine
    net: nn.Module
    averages: dict[str, Average]
    optimizers: list[torch.optim.Optimizer]
    samples_seen: int = 0
    steps: int = field(default=0)

    @classmethod
    def fresh(cls, recipe: Any, options: Any, machine: Machine) -> "Learner":
        """A learner with weights drawn from the options' seed."""
        torch.manual_seed(options.seed)
        net = recipe.build(options)
        apply(machine, net)
        averages = {"short": Average(net, options.ema_short), "long": Average(net, options.ema_long)}
        return cls(recipe, options, machine, net, averages, optimizers(net, options))

    def state(self) -> dict[str, Tensor]:
        """Every tensor that the next step depends on."""
        tensors = {f"net.{name}": weight.detach() for name, weight in self.net.named_parameters()}
        for length, average in self.averages.items():
            tensors |= {f"{length}.{name}": weight for name, weight in average.weights.items()}
        for number, optimizer in enumerate(self.optimizers):
            for place, entry in optimizer.state_dict()["state"].items():
                tensors |= {f"opt{number}.{place}.{name}": torch.as_tensor(value) for name, value in entry.items()}
        return tensors

    def restore(self, tensors: dict[str, Tensor], samples_seen: int) -> None:
        """Take a state back, exactly; raises SfumatoError when it belongs to another network."""
        own = dict(self.net.named_parameters())
        if {name for name in tensors if name.startswith("net.")} != {f"net.{name}" for name in own}:
            raise SfumatoError("The saved state belongs to a network of another shape.")
        with torch.no_grad():
            for name, weight in own.items():
                weight.copy_(tensors[f"net.{name}"])
            for length, average in self.averages.items():
                for name, mean in average.weights.items():
                    mean.copy_(tensors[f"{length}.{name}"])
        for number, optimizer in enumerate(self.optimizers):
            whole = optimizer.state_dict()
            entries: dict[int, dict[str, Tensor]] = {}
            for name, value in tensors.items():
                if name.startswith(f"opt{number}."):
                    _, place, key = name.split(".", 2)
                    entries.setdefault(int(place), {})[key] = value.clone()
            optimizer.load_state_dict({"state": entries, "param_groups": whole["param_groups"]})
        self.samples_seen = samples_seen
        self.steps = samples_seen // self.options.batch


def optimizers(net: nn.Module, options: Any) -> list[torch.optim.Optimizer]:
    """Muon (Jordan et al. 2024) for the blocks' matrices and AdamW for the rest, or AdamW for all."""
    matrices = [weight for name, weight in net.named_parameters() if name.startswith("blocks") and weight.ndim == 2]
    if options.optimizer == "adamw" or not matrices:
        return [torch.optim.AdamW(net.parameters(), options.lr, (0.9, 0.95), weight_decay=0.0)]
    taken = {id(weight) for weight in matrices}
    rest = [weight for weight in net.parameters() if id(weight) not in taken]
    muon = GroupedMuon(matrices, options.lr, weight_decay=0.0, adjust_lr_fn="match_rms_adamw")
    return [muon, torch.optim.AdamW(rest, options.lr, (0.9, 0.95), weight_decay=0.0)]


def rate(options: Any, samples_seen: int) -> float:
    """The learning rate after so many samples: a linear rise, a plateau, a linear fall to zero."""
    share = samples_seen / options.samples
    rise = min(1.0, (samples_seen + options.batch) / max(options.warmup * options.samples, 1))
    fall = min(1.0, max(0.0, 1 - share) / options.decay) if options.decay else 1.0
    return float(options.lr * rise * fall)


def take_step(learner: Learner, given: dict[str, Tensor]) -> float:
    """One step of all optimisers; returns the mean loss, and raises Diverged if it is not a number."""
    options, net = learner.options, learner.net
    loss = gradients(learner.recipe, net, given, shards=learner.machine.shards, bf16=learner.machine.bf16)
    norm = torch.nn.utils.clip_grad_norm_(net.parameters(), options.clip)
    if not math.isfinite(float(norm)) or not math.isfinite(loss):
        raise Diverged(
            f"The loss is not a number at sample {learner.samples_seen:,}.",
            hint="The last checkpoint is kept. Start another run from it with a lower lr: --from NAME --lr NUMBER.",
        )
    for optimizer in learner.optimizers:
        if isinstance(optimizer, GroupedMuon) and learner.machine.shards != optimizer.shares:
            optimizer.shares = learner.machine.shards
            optimizer.each = hands(optimizer.shares).map if optimizer.shares > 1 else map
        for group in optimizer.param_groups:
            group["lr"] = rate(options, learner.samples_seen)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
    return loss


def train(learner: Learner, material: Any, stop: Callable[[], bool] = lambda: False) -> Iterator[Step]:
    """Take steps until all samples are seen or `stop()`; yields after each, the caller saves when asked to."""
    options, recipe = learner.options, learner.recipe
    while learner.samples_seen < options.samples and not stop():
        start = time.perf_counter()
        loss = take_step(learner, recipe.batch(options, material, learner.samples_seen))
        before = learner.samples_seen
        learner.samples_seen += options.batch
        learner.steps += 1
        for average in learner.averages.values():
            average.update(learner.net, learner.steps)
        step = Step(learner.samples_seen, loss, time.perf_counter() - start)
        over = learner.samples_seen >= options.samples
        step.save = over or crosses(before, learner.samples_seen, options.checkpoint_every)
        if step.save:
            step.held_out = averaged(learner, lambda net: recipe.held_out(options, material, net))
        if over or crosses(before, learner.samples_seen, options.preview_every):
            step.preview = averaged(learner, lambda net: recipe.preview(options, material, net))
        yield step


def count_flops(learner: Learner, material: Any) -> float:
    """Multiplications and additions that one picture takes in a step, counted by torch as they are run."""
    whole = learner.recipe.batch(learner.options, material, learner.samples_seen)
    given = {name: values[:2] for name, values in whole.items()}
    apply(learner.machine.model_copy(update={"fused_attention": False}), learner.net)  # a fused kernel is not counted
    with FlopCounterMode(display=False) as counter:
        learner.recipe.losses(learner.net, given).mean().backward()
    apply(learner.machine, learner.net)
    learner.net.zero_grad(set_to_none=True)
    return counter.get_total_flops() / len(next(iter(given.values())))


def crosses(before: int, after: int, every: int) -> bool:
    """Whether a multiple of `every` lies in (before, after]."""
    return after // every > before // every


def averaged(learner: Learner, look: Callable[[nn.Module], Any], length: str = "short") -> Any:
    """Look at the network with averaged weights, without a trace in the learner's own state."""
    live = {name: weight.detach().clone() for name, weight in learner.net.named_parameters()}
    with torch.no_grad(), torch.autocast("cpu", torch.bfloat16, enabled=learner.machine.bf16):
        try:
            for name, weight in learner.net.named_parameters():
                weight.copy_(learner.averages[length].weights[name])
            return look(learner.net)
        finally:
            for name, weight in learner.net.named_parameters():
                weight.copy_(live[name])
