"""The machine that a run is on: its processor, what that can do, and how much of it may be used. Loads no torch."""

import os
import platform
import re
from pathlib import Path

TELLING = re.compile(r"avx\w*|amx\w*|fma|f16c|sse4_2|asimd\w*|bf16|sve\w*|i8mm")  # flags that decide how fast it learns


def processor() -> str:
    """The processor's name, as far as the system tells."""
    named = re.search(r"^model name\s*:\s*(.+)$", text_of("/proc/cpuinfo"), re.MULTILINE)
    return named[1] if named else platform.processor() or platform.machine()


def processor_flags() -> list[str]:
    """Those of the processor's flags that decide how fast it multiplies, in order; none where the system tells none."""
    said = re.search(r"^(?:flags|Features)\s*:\s*(.+)$", text_of("/proc/cpuinfo"), re.MULTILINE)
    return sorted(flag for flag in said[1].split() if TELLING.fullmatch(flag)) if said else []


def has_bf16() -> bool:
    """Whether the processor multiplies bfloat16 itself."""
    flags = text_of("/proc/cpuinfo")
    return "avx512_bf16" in flags or "amx_bf16" in flags


def cores() -> int:
    """Cores that this process may use: of its affinity, its container's quota, and OMP_NUM_THREADS, the fewest."""
    found = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    quota = re.match(r"(\d+) (\d+)", text_of("/sys/fs/cgroup/cpu.max"))  # microseconds of processor in each period
    allowed = os.environ.get("OMP_NUM_THREADS", "")
    limits = [found, int(allowed) if allowed.isdigit() else found]
    if quota:
        limits.append(round(int(quota[1]) / int(quota[2])))
    return max(1, min(limits))


def memory_used() -> int:
    """Bytes of memory that this process holds now; 0 where the system does not tell."""
    said = re.search(r"^VmRSS:\s*(\d+) kB", text_of("/proc/self/status"), re.MULTILINE)
    return int(said[1]) * 1024 if said else 0


def text_of(path: str | Path) -> str:
    """What a file of the system says; nothing where there is no such file, or it is not ours to read."""
    try:
        return Path(path).read_text()
    except OSError:
        return ""
