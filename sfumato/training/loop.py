"""The loop: knows steps, averages and files, and nothing of what is learnt."""

import contextlib
import math
import time
from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from sfumato.errors import SfumatoError
from sfumato.models.averages import Average
from sfumato.models.muon import GroupedMuon
from sfumato.models.recomputing import recompute
from sfumato.training.machine import Machine, apply
from sfumato.training.nearness import Nearness, measure
from sfumato.training.phases import Phase, drawer, phases_of
from sfumato.training.shards import gradients, hands
from sfumato.training.together import Fallen, Team
from sfumato.training.worst import Drawings, draw_concepts

PATIENCE = 3  # batches without a number, one after the other, that end a run
NAMED = 4  # pictures of a batch that are named


class Diverged(SfumatoError):
    """The weights ran away; what was kept before is sound, what is in memory is not."""


LOWER = "The last checkpoint is kept. Start another run from it with a lower lr: --from NAME --lr NUMBER."


class OutOfMemory(SfumatoError):
    """The smallest part of a batch finds no room; what was kept before is sound."""


class Recipe(Protocol):
    """What the loop asks of a recipe's file.

    A recipe whose step has several parts has `phases(options)` besides, and `DRAWER`, the part that is kept.
    """

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
    loss: float  # of the last phase
    seconds: float
    parts: dict[str, float] = field(default_factory=dict)  # loss of each phase, where there are several
    said: str = ""  # what a person should know of it
    nearness: Nearness | None = None
    held_out: dict[str, float] | None = None
    preview: np.ndarray | None = None
    worst: Drawings | None = None  # at the end
    save: bool = False


@dataclass
class Learner:
    """All state of a run: weights, averages, optimisers, and how many samples they have seen."""

    recipe: Any
    options: Any
    machine: Machine
    net: nn.Module
    averages: dict[str, Average]
    walk: list[tuple[Phase, list[torch.optim.Optimizer]]]
    samples_seen: int = 0
    steps: int = field(default=0)
    team: Team = field(default_factory=Team)
    half: bool = False  # some phases of a step are taken and others are not: no state to go on from

    @classmethod
    def fresh(cls, recipe: Any, options: Any, machine: Machine) -> "Learner":
        """A learner with weights drawn from the options' seed."""
        torch.manual_seed(options.seed)
        net = recipe.build(options)
        if not getattr(recipe, "BF16", True):
            machine = machine.model_copy(update={"bf16": False})
        apply(machine, net)
        if getattr(options, "recompute", False):
            recompute(net)
        drawn = drawer(recipe, net)
        averages = {"short": Average(drawn, options.ema_short), "long": Average(drawn, options.ema_long)}
        walk = [(phase, phase.optimizers(phase.moved(net), options)) for phase in phases_of(recipe, options)]
        return cls(recipe, options, machine, net, averages, walk)

    @property
    def optimizers(self) -> list[torch.optim.Optimizer]:
        """The optimisers of all phases, in their order."""
        return [optimizer for _, some in self.walk for optimizer in some]

    @property
    def drawer(self) -> nn.Module:
        """The part of the network that draws; averages and checkpoints are of it alone."""
        return drawer(self.recipe, self.net)

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


def take_step(learner: Learner, given: dict[str, Tensor]) -> float:
    """One step of all phases; returns the mean loss of the last, and raises Diverged if one is not a number."""
    return list(walk_phases(learner, given).values())[-1]


def walk_phases(learner: Learner, given: dict[str, Tensor]) -> dict[str, float]:
    """One step of each phase in turn; returns their mean losses, and raises Diverged before a step that cannot be."""
    options, found = learner.options, dict[str, float]()
    for phase, optimizers in learner.walk:
        learner.half = bool(found)
        weights = list(phase.moved(learner.net).parameters())
        loss = fitted_gradients(learner, phase, given, weights)
        norm = torch.nn.utils.clip_grad_norm_(weights, options.clip)
        if not math.isfinite(float(norm)) or not math.isfinite(loss):
            learner.net.zero_grad(set_to_none=True)
            raise Diverged(f"The loss is not a number at sample {learner.samples_seen:,}.", hint=LOWER)
        settings, machine = phase.settings(options, learner.samples_seen), learner.machine
        for optimizer in optimizers:
            if isinstance(optimizer, GroupedMuon):
                optimizer.precision = torch.bfloat16 if machine.bf16 else torch.float32
                if machine.shards != optimizer.shares:
                    optimizer.shares = machine.shards
                    optimizer.each = hands(optimizer.shares).map if optimizer.shares > 1 else map
            for group in optimizer.param_groups:
                group.update(settings)
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
        found[phase.name] = loss
    learner.half = False
    return found


def fitted_gradients(learner: Learner, phase: Phase, given: dict[str, Tensor], weights: list[nn.Parameter]) -> float:
    """Set the gradient of a phase's loss; where memory runs out, in twice as many parts, from then on.

    The batch is the same, and so is the result within rounding, since gradients are set only once all parts are
    there; of several processes each computes its share. Raises OutOfMemory when not even one picture at a time
    finds room.
    """
    team, problem, loss = learner.team, None, math.nan
    try:
        loss = _own_gradients(learner, phase, team.share(given), weights, of=len(next(iter(given.values()))))
    except Exception as found:
        problem = found
    parts = team.agree(problem, learner.machine.parts)
    if parts != learner.machine.parts:
        learner.machine = learner.machine.model_copy(update={"parts": parts})
    return team.add_up(weights, loss)


def _own_gradients(
    learner: Learner, phase: Phase, given: dict[str, Tensor], weights: list[nn.Parameter], *, of: int
) -> float:
    """What this process adds to the gradients and the loss of a batch of so many pictures."""
    batch = len(next(iter(given.values())))
    while True:
        machine = learner.machine
        parts = getattr(learner.options, "accumulate", 1) * machine.parts
        try:
            return gradients(
                phase.losses, learner.net, given, weights=weights,
                shards=machine.shards, bf16=machine.bf16, accumulate=parts, of=of,
            )  # fmt: skip
        except (RuntimeError, MemoryError) as problem:
            if not is_out_of_memory(problem):
                raise
            if parts >= batch:
                raise OutOfMemory(
                    "There is not enough memory for one picture at a time.",
                    hint="Take a smaller size, width or depth, or recompute=true where the recipe has it.",
                ) from problem
        learner.machine = machine.model_copy(update={"parts": 2 * machine.parts})


def is_out_of_memory(problem: BaseException) -> bool:
    """Whether an error says that memory ran out, on the processor or on another device."""
    return isinstance(problem, (MemoryError, torch.OutOfMemoryError)) or any(
        words in str(problem).lower() for words in ("allocate memory", "out of memory", "bad_alloc")
    )


def train(learner: Learner, material: Any, stop: Callable[[], bool] = lambda: False) -> Generator[Step, None, None]:
    """Take steps until all samples are seen or `stop()`; yields after each, the caller saves when asked to.

    A batch whose loss is not a number is left out, since no weight has moved by it yet, and `said` names it. Where
    that happens several times in a row, or the weights themselves are not numbers, it raises Diverged. Of several
    processes only the first measures and draws; once it is closed, the others stop before their next step.
    """
    options, recipe, team = learner.options, learner.recipe, learner.team
    skipped: list[tuple[int, str]] = []
    while learner.samples_seen < options.samples and team.goes_on(not stop()):
        start, before = time.perf_counter(), learner.samples_seen
        given = recipe.batch(options, material, before)
        over = before + options.batch >= options.samples
        step, parts = Step(before + options.batch, math.nan, 0.0), learner.machine.parts
        try:
            step.parts = walk_phases(learner, given)
            step.loss, skipped = list(step.parts.values())[-1], []
        except Diverged as problem:
            skipped.append((before, blamed(learner, material, given)))
            if len(skipped) >= (2 if over else PATIENCE) or not is_sound(learner.net):
                raise stopped(skipped) from problem
            step.said = f"Left out the batch at sample {before:,}, whose loss is not a number: {skipped[-1][1]}."
            learner.half = False  # it goes on from what there is
        if learner.machine.parts != parts:
            step.said = step.said or squeezed(learner)
        learner.samples_seen += options.batch
        learner.steps += 1
        if not skipped:
            for average in learner.averages.values():
                average.update(learner.drawer, learner.steps)
        step.seconds = time.perf_counter() - start
        step.save = over or (not skipped and crosses(before, learner.samples_seen, options.checkpoint_every))
        if step.save:
            align(learner)
        if step.save and team.leads:
            step.held_out = averaged(learner, lambda net: recipe.held_out(options, material, net))
        if team.leads and (over or crosses(before, learner.samples_seen, options.preview_every)):
            step.preview = averaged(learner, lambda net: recipe.preview(options, material, net))
            new = getattr(recipe, "DRAWS_NEW", True)
            step.nearness = measure(material, step.preview) if new else None
            if over and new:
                step.worst = averaged(learner, lambda net: draw_concepts(recipe, options, material, net))
            step.said = step.said or (step.nearness.said if step.nearness else "")
        try:
            yield step
        except GeneratorExit:
            if not over:
                with contextlib.suppress(Fallen):
                    team.goes_on(False)
            raise


def align(learner: Learner) -> None:
    """Give every process the first one's weights, what lies beside them, and the state of its optimisers.

    The others keep no averages, since they keep nothing else.
    """
    team = learner.team
    if team.size == 1:
        return
    seen = team.tell({"samples_seen": learner.samples_seen})["samples_seen"]
    learner.averages = learner.averages if team.leads else {}
    own = {name: one for name, one in learner.state().items() if name.split(".")[0] not in learner.averages}
    tensors = team.align(own | {f"beside.{name}": one for name, one in learner.net.named_buffers()})
    if not team.leads:
        learner.restore(tensors, seen)


def squeezed(learner: Learner) -> str:
    """What a person should know when memory ran out and a batch is computed in more parts."""
    batch = learner.options.batch
    parts = min(batch, getattr(learner.options, "accumulate", 1) * learner.machine.parts)
    return (
        f"Memory ran out at sample {learner.samples_seen:,}. A batch is still {batch:,} pictures, but computed in "
        f"{parts:,} parts one after the other from now on, with the same result within rounding."
    )


def is_sound(net: nn.Module) -> bool:
    """Whether all weights are numbers."""
    return all(bool(torch.isfinite(weight).all()) for weight in net.parameters())


def blamed(learner: Learner, material: Any, given: dict[str, Tensor]) -> str:
    """The pictures of a batch whose own loss is not a number, by name; the batch's first ones where each alone is."""
    rows = material.order(learner.options.seed, learner.samples_seen, learner.options.batch)
    bad: list[int] = []
    for phase, _ in learner.walk:
        with torch.autocast("cpu", torch.bfloat16, enabled=learner.machine.bf16):
            bad = bad or (~torch.isfinite(phase.losses(learner.net, given).detach())).nonzero()[:, 0].tolist()
    chosen = bad or list(range(len(rows)))
    names = [material.lines[rows[one]].name if material.lines else f"picture {rows[one]}" for one in chosen[:NAMED]]
    more = f" and {len(chosen) - NAMED} more" if len(chosen) > NAMED else ""
    return ", ".join(names) + more


def stopped(skipped: list[tuple[int, str]]) -> Diverged:
    """What is said when a run ends because its losses are no numbers any more."""
    first, names = skipped[0]
    after = f" and at the {len(skipped) - 1} after it" if len(skipped) > 1 else ""
    return Diverged(f"The loss is not a number at sample {first:,}{after}. In that batch: {names}.", hint=LOWER)


def count_flops(learner: Learner, material: Any) -> float:
    """Multiplications and additions that one picture takes in a step, counted by torch as they are run."""
    whole = learner.recipe.batch(learner.options, material, learner.samples_seen)
    given = {name: values[:2] for name, values in whole.items()}
    apply(learner.machine.model_copy(update={"fused_attention": False}), learner.net)  # a fused kernel is not counted
    with FlopCounterMode(display=False) as counter:
        for phase, _ in learner.walk:
            weights = list(phase.moved(learner.net).parameters())
            torch.autograd.grad(phase.losses(learner.net, given).mean(), weights, allow_unused=True)
    apply(learner.machine, learner.net)
    return counter.get_total_flops() / len(next(iter(given.values())))


def crosses(before: int, after: int, every: int) -> bool:
    """Whether a multiple of `every` lies in (before, after]."""
    return after // every > before // every


def averaged(learner: Learner, look: Callable[[nn.Module], Any], length: str = "short") -> Any:
    """Look at the network with averaged weights, without a trace in the learner's own state."""
    drawn = dict(learner.drawer.named_parameters())
    live = {name: weight.detach().clone() for name, weight in drawn.items()}
    with torch.no_grad(), torch.autocast("cpu", torch.bfloat16, enabled=learner.machine.bf16):
        try:
            for name, weight in drawn.items():
                weight.copy_(learner.averages[length].weights[name])
            return look(learner.net)
        finally:
            for name, weight in drawn.items():
                weight.copy_(live[name])
