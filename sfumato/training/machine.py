"""What is fastest here: number format, attention kernel, threads and their shares of a batch, tried before a run."""

import statistics
import time
from collections.abc import Callable

import torch
from pydantic import BaseModel, ConfigDict
from torch import nn

from sfumato.training.hardware import cores, has_bf16, processor

FAR, CLOSE = 1.5, 1.15  # times as slow as the fastest, from where on a choice is not tried again; at first, and later
AGAIN = 3  # times as many tries for those that come close
PATIENCE = 20.0  # seconds from which on no more are begun


class Machine(BaseModel):
    """Choices of one machine, stored in the run and used again when it goes on."""

    model_config = ConfigDict(frozen=True)

    bf16: bool = False
    fused_attention: bool = True
    threads: int = 1
    shards: int = 1  # parts of a batch that threads work on alone
    processes: int = 1  # that share a batch
    parts: int = 1  # parts of a batch, one after the other, since memory ran out; besides what the options ask for
    processor: str = ""
    images_per_second: float = 0.0


def probe(
    step: Callable[[Machine], None], batch: int, tries: int = 3, *, bf16: tuple[bool, ...] = (True, False),
    attention: bool = True,
) -> Machine:  # fmt: skip
    """Time one training step under each sensible choice, interleaved, and keep the fastest.

    `bf16` says whether products may be in bfloat16, in float32 or in either; without `attention` there is no choice of
    its kernels. Those that come close to the fastest are tried as often again, twice, unless that takes longer than
    PATIENCE. What counts is a choice's best step: whatever else the machine does makes a step slower, never faster.
    """
    choices = [
        Machine(bf16=half, fused_attention=fused, threads=threads, shards=shards, processor=processor())
        for half in ([one for one in bf16 if has_bf16() or not one] or [False])
        for fused in ((False, True) if attention else (False,))
        for threads in sorted({1, cores()})
        for shards in sorted({1, threads} if batch >= threads else {1})
    ]
    times: dict[Machine, list[float]] = {choice: [] for choice in choices}
    end = time.monotonic() + PATIENCE
    for turn in range(AGAIN * tries + 1):
        for choice in choices:
            torch.set_num_threads(choice.threads)
            start = time.perf_counter()
            step(choice)
            if turn:  # the first round only warms up
                times[choice].append(time.perf_counter() - start)
        best = min(min(times[one]) for one in choices) if turn else 0.0
        far = FAR if turn < tries else CLOSE
        choices = [one for one in choices if not turn or min(times[one]) < far * best]
        if turn >= tries and (len(choices) == 1 or time.monotonic() > end):
            break
    fastest = min(choices, key=lambda choice: min(times[choice]))
    rate = batch / statistics.median(times[fastest])
    return fastest.model_copy(update={"images_per_second": round(rate, 1)})


def apply(machine: Machine, net: nn.Module) -> None:
    """Use the machine's choices for this process and this network."""
    torch.set_num_threads(machine.threads)
    if hasattr(net, "fused_attention"):
        net.fused_attention = machine.fused_attention  # type: ignore[assignment]
