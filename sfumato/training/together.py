"""Several processes that learn as one: each takes its share of every batch, and gradients are added up over all.

Chance is drawn for a whole batch at once, by seed and place, in every process, so that a batch is the same however it
is divided. A share's loss is a sum over its pictures divided by those of the whole batch; sums over processes are then
loss and gradient of the whole, and every process takes the same step (data parallelism as in Li et al. 2020, arXiv
2006.15704, section 2.2, with one sum after the backward pass of a phase). The first process leads: it alone measures,
draws and keeps, and says before each step whether there is one.
"""

import json
import os
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn

from sfumato.errors import SfumatoError
from sfumato.training.processes import Place

RENDEZVOUS = "env://"  # where processes find each other: at MASTER_ADDR and MASTER_PORT
PATIENCE = timedelta(hours=2)  # for one that reads its pictures, measures or draws; one that is gone is noticed at once
LOOPBACK = ("127.0.0.1", "localhost")
AGAIN = "Run the same command again: it goes on from what was kept."


class Fallen(SfumatoError):
    """Another process of the run is gone, or has failed; what was kept before is sound."""


@dataclass
class Team:
    """The processes of a run, as one of them sees them; alone it is a team of one."""

    rank: int = 0
    size: int = 1
    others_cpu: float = 0.0  # seconds of processor that the others took, as far as they have told
    since: float = field(default_factory=time.process_time)

    @property
    def leads(self) -> bool:
        """Whether this process keeps the record."""
        return self.rank == 0

    def share(self, given: dict[str, Tensor]) -> dict[str, Tensor]:
        """This process's part of a batch of at least `size` rows; parts differ by one row at most."""
        if self.size == 1:
            return given
        return {name: values.tensor_split(self.size)[self.rank] for name, values in given.items()}

    def goes_on(self, on: bool) -> bool:
        """Whether there is another step: what the first process says, in all of them."""
        if self.size == 1:
            return on
        said = torch.tensor([int(on)])
        _spoken(lambda: dist.broadcast(said, 0))
        return bool(said)

    def agree(self, problem: Exception | None = None, parts: int = 1) -> int:
        """Raise in all processes what went wrong in one; returns the most parts that one of them needs."""
        if self.size > 1:
            own = torch.tensor([problem is not None, parts, time.process_time() - self.since], dtype=torch.float64)
            all_of_them = [torch.zeros_like(own) for _ in range(self.size)]
            _spoken(lambda: dist.all_gather(all_of_them, own))
            failed, most, took = torch.stack(all_of_them).unbind(1)
            self.others_cpu = float(took.sum() - took[self.rank])
            parts = int(most.max())
            if failed.any():
                first = int(failed.argmax())
                said = self.tell({"message": str(problem)} if self.rank == first else None, first)
                if problem is None:
                    raise Fallen(f"Process {first + 1} of {self.size} failed: {said['message']}", hint=AGAIN)
        if problem is not None:
            raise problem
        return parts

    def tell(self, facts: dict[str, Any] | None = None, who: int = 0) -> dict[str, Any]:
        """What one process says to all: the facts of the process `who`, in every one of them."""
        if self.size == 1:
            return facts or {}
        data = json.dumps(facts if self.rank == who else None).encode()
        length = torch.tensor([len(data)])
        _spoken(lambda: dist.broadcast(length, who))
        text = torch.zeros(int(length), dtype=torch.uint8)
        if self.rank == who:
            text.copy_(torch.frombuffer(bytearray(data), dtype=torch.uint8))
        _spoken(lambda: dist.broadcast(text, who))
        told: dict[str, Any] = json.loads(text.numpy().tobytes())
        return told

    def add_up(self, weights: list[nn.Parameter], loss: float) -> float:
        """Set the gradients of the whole batch from those of the shares, in one sum; returns the whole loss.

        A weight that no process has a gradient for keeps none.
        """
        if self.size == 1:
            return loss
        there = [weight.grad is not None for weight in weights]
        grads = [torch.zeros_like(one) if one.grad is None else one.grad for one in weights]
        flat = torch.cat([*(grad.reshape(-1).float() for grad in grads), torch.tensor([*map(float, there), loss])])
        _spoken(lambda: dist.all_reduce(flat))
        *sums, tail = flat.split([*(grad.numel() for grad in grads), len(weights) + 1])
        for weight, total, known in zip(weights, sums, tail[:-1].tolist(), strict=True):
            weight.grad = total.view_as(weight) if known else None
        return float(tail[-1])

    def align(self, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
        """The first process's tensors, in every one of them; those that are here are overwritten in place.

        Processors of two kinds round differently, and what is resumed must be what all of them had.
        """
        if self.size == 1:
            return tensors
        kinds = {name: (list(one.shape), str(one.dtype).removeprefix("torch.")) for name, one in tensors.items()}
        for name, (shape, dtype) in self.tell(kinds).items():
            if name not in tensors:
                tensors[name] = torch.zeros(shape, dtype=getattr(torch, dtype))
            whole = tensors[name].detach().contiguous()
            _spoken(lambda one=whole: dist.broadcast(one, 0))  # type: ignore[misc]
            with torch.no_grad():
                tensors[name].copy_(whole)
        return tensors


def _spoken(say: Callable[[], Any]) -> None:
    """Say something to all; raises Fallen where one of them is gone."""
    try:
        say()
    except RuntimeError as problem:
        raise Fallen("Another process of this run is gone.", hint=f"Its own output says why. {AGAIN}") from problem


def join(where: Place) -> Team:
    """Wait until all processes that were started together are here; raises Fallen where they do not come."""
    if sys.platform == "linux" and os.environ.get("MASTER_ADDR") in LOOPBACK:
        os.environ.setdefault("GLOO_SOCKET_IFNAME", "lo")  # nothing leaves the machine, whatever its name stands for
    if where.size == 1:
        return Team()
    _spoken(
        lambda: dist.init_process_group(
            "gloo", init_method=RENDEZVOUS, rank=where.rank, world_size=where.size, timeout=PATIENCE
        )
    )
    return Team(where.rank, where.size)


def leave() -> None:
    """Part from the others; whoever still waits for this process finds that it is gone."""
    if dist.is_initialized():
        dist.destroy_process_group()
