"""A batch shared out among threads that each work alone, since threads that wait for each other after every small
operation lose a sixth of the time of a network as small as ours."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from threading import Barrier

import torch
from torch import Tensor, nn


@cache
def hands(count: int) -> ThreadPoolExecutor:
    """`count` threads that last as long as the process, each of which computes on one core."""
    here = torch.get_num_threads()
    pool = ThreadPoolExecutor(count, thread_name_prefix="shard")
    ready = Barrier(count)

    def alone() -> None:
        torch.get_num_threads()  # else torch's first operation here would take over what holds of the process
        torch.set_num_threads(1)  # of this thread; each task waits for the others, so that every thread runs one
        ready.wait(60)

    for started in [pool.submit(alone) for _ in range(count)]:
        started.result()
    torch.set_num_threads(here)
    return pool


def gradients(
    losses: Callable[[nn.Module, dict[str, Tensor]], Tensor], net: nn.Module, given: dict[str, Tensor],
    *, weights: list[nn.Parameter], shards: int = 1, bf16: bool = False, accumulate: int = 1, of: int = 0,
) -> float:  # fmt: skip
    """Set the gradient of the batch's mean loss in `weights` and return that loss; parts are added in their order.

    `accumulate` parts are computed one after the other, each by `shards` threads. The same choice of both gives the
    same bits; another one the same values within rounding. What is given may be a share of a batch of `of` pictures:
    then loss and gradient are what it adds to those of the batch.
    """
    total = of or len(next(iter(given.values())))

    def part(some: dict[str, Tensor]) -> tuple[Tensor, tuple[Tensor | None, ...]]:
        with torch.autocast("cpu", torch.bfloat16, enabled=bf16):
            loss = losses(net, some).sum() / total
        return loss.detach(), torch.autograd.grad(loss, weights, allow_unused=True)

    whole: list[Tensor | None] = [None] * len(weights)
    said = []
    for turn in cut(given, accumulate):
        parts = list(cut(turn, shards))
        found = [part(turn)] if len(parts) == 1 else list(hands(shards).map(part, parts))
        whole = [added([sofar, *(grads[place] for _, grads in found)]) for place, sofar in enumerate(whole)]
        said += [loss for loss, _ in found]
    for weight, grad in zip(weights, whole, strict=True):
        weight.grad = grad
    return float(torch.stack(said).sum())


def cut(given: dict[str, Tensor], shards: int) -> Iterator[dict[str, Tensor]]:
    """The batch in at most so many parts of nearly equal size."""
    pieces = [[(name, piece) for piece in values.chunk(shards)] for name, values in given.items()]
    return (dict(part) for part in zip(*pieces, strict=True))


def added(grads: list[Tensor | None]) -> Tensor | None:
    """The sum of one weight's gradients, in the first one's place; None where no shard has one."""
    there = [grad for grad in grads if grad is not None]
    if not there:
        return None
    whole = there[0]
    for other in there[1:]:
        whole.add_(other)
    return whole
