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


def memory_free() -> int:
    """Bytes of memory that could be taken now, of the machine and within its container; 0 where nobody tells."""
    return _least(_meminfo("MemAvailable"), _container(used=memory_taken()))


def memory_in_all() -> int:
    """Bytes of memory of the machine, or of its container where that is less; 0 where nobody tells."""
    return _least(_meminfo("MemTotal"), _container())


def memory_taken() -> int:
    """Bytes that this process's container holds now, but for files that can be let go; 0 where nobody tells."""
    said = text_of("/sys/fs/cgroup/memory.current").strip()
    files = re.search(r"^file (\d+)", text_of("/sys/fs/cgroup/memory.stat"), re.MULTILINE)
    return max(0, int(said) - (int(files[1]) if files else 0)) if said.isdigit() else 0


def _meminfo(name: str) -> int:
    said = re.search(rf"^{name}:\s*(\d+) kB", text_of("/proc/meminfo"), re.MULTILINE)
    return int(said[1]) * 1024 if said else 0


def _container(used: int = 0) -> int:
    """What a container may hold, without what is used of it; 0 where it has no limit."""
    said = text_of("/sys/fs/cgroup/memory.max").strip()
    return max(1, int(said) - used) if said.isdigit() else 0


def _least(*found: int) -> int:
    return min((one for one in found if one), default=0)


def text_of(path: str | Path) -> str:
    """What a file of the system says; nothing where there is no such file, or it is not ours to read."""
    try:
        return Path(path).read_text()
    except OSError:
        return ""
