"""What is fastest here: number format, attention kernel, threads and their shares of a batch, tried before a run."""

import os
import platform
import re
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import torch
from pydantic import BaseModel, ConfigDict
from torch import nn


class Machine(BaseModel):
    """Choices of one machine, stored in the run and used again when it goes on."""

    model_config = ConfigDict(frozen=True)

    bf16: bool = False
    fused_attention: bool = True
    threads: int = 1
    shards: int = 1  # parts of a batch that threads work on alone
    processor: str = ""
    images_per_second: float = 0.0


def has_bf16() -> bool:
    """Whether the processor multiplies bfloat16 itself."""
    flags = _text("/proc/cpuinfo")
    return "avx512_bf16" in flags or "amx_bf16" in flags


def processor() -> str:
    """The processor's name, as far as the system tells."""
    named = re.search(r"^model name\s*:\s*(.+)$", _text("/proc/cpuinfo"), re.MULTILINE)
    return named[1] if named else platform.processor() or platform.machine()


def cores() -> int:
    """Cores that this process may use: of its affinity, its container's quota, and OMP_NUM_THREADS, the fewest."""
    found = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    quota = re.match(r"(\d+) (\d+)", _text("/sys/fs/cgroup/cpu.max"))  # microseconds of processor in each period
    allowed = os.environ.get("OMP_NUM_THREADS", "")
    limits = [found, int(allowed) if allowed.isdigit() else found]
    if quota:
        limits.append(round(int(quota[1]) / int(quota[2])))
    return max(1, min(limits))


def _text(path: str) -> str:
    """What a file of the system says; nothing where there is no such file."""
    try:
        return Path(path).read_text()
    except OSError:
        return ""


def probe(step: Callable[[Machine], None], batch: int, tries: int = 3) -> Machine:
    """Time one training step under each sensible choice, interleaved, and keep the fastest by median."""
    choices = [
        Machine(bf16=bf16, fused_attention=fused, threads=threads, shards=shards, processor=processor())
        for bf16 in ((True, False) if has_bf16() else (False,))
        for fused in (False, True)
        for threads in sorted({1, cores()})
        for shards in sorted({1, threads} if batch >= threads else {1})
    ]
    times: dict[Machine, list[float]] = {choice: [] for choice in choices}
    for turn in range(tries + 1):
        for choice in choices:
            torch.set_num_threads(choice.threads)
            start = time.perf_counter()
            step(choice)
            if turn:  # the first round only warms up
                times[choice].append(time.perf_counter() - start)
        best = min(statistics.median(times[one]) for one in choices) if turn else 0.0
        choices = [one for one in choices if not turn or statistics.median(times[one]) < 1.5 * best]
    fastest = min(choices, key=lambda choice: statistics.median(times[choice]))
    rate = batch / statistics.median(times[fastest])
    return fastest.model_copy(update={"images_per_second": round(rate, 1)})


def apply(machine: Machine, net: nn.Module) -> None:
    """Use the machine's choices for this process and this network."""
    torch.set_num_threads(machine.threads)
    if hasattr(net, "fused_attention"):
        net.fused_attention = machine.fused_attention  # type: ignore[assignment]
