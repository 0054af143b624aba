"""What is made of measured times: medians, ratios, verdicts, and where they are kept.

A ratio of medians stands with a bootstrap interval. A verdict is refused when other processes took more than
a quarter of a core meanwhile. A stored figure counts only for the code, by hash, that it was measured on.
"""

import argparse
import hashlib
import json
import os
import platform
import random
import statistics
import subprocess
import sys
import time
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psutil

ROOT = Path(__file__).parents[1]
KEPT = ROOT / "bench" / "results"
PAGE = ROOT / "bench" / "RESULTS.md"
OUT = ROOT / "bench" / ".out"
QUIET = 0.25  # of one core, taken by others


def quantile(values: Sequence[float], share: float) -> float:
    """The value below which this share of the values lies, between neighbours in proportion."""
    ordered = sorted(values)
    place = share * (len(ordered) - 1)
    low = int(place)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (place - low) * (ordered[high] - ordered[low])


def ratio_of_medians(above: Sequence[float], below: Sequence[float]) -> float:
    """median(above) / median(below): how many times faster `below` is, given seconds."""
    return statistics.median(above) / statistics.median(below)


def ratio_interval(above: Sequence[float], below: Sequence[float], draws: int = 2000) -> tuple[float, float]:
    """The middle 95 % of the ratio over resamples of both (percentile bootstrap), the same at every call."""
    source = random.Random(0)
    found = [
        ratio_of_medians(source.choices(above, k=len(above)), source.choices(below, k=len(below))) for _ in range(draws)
    ]
    return quantile(found, 0.025), quantile(found, 0.975)


class Others:
    """How many cores other processes took since this was made: all busy time, less ours and our children's."""

    def __init__(self) -> None:
        self._start = time.monotonic()
        self._busy, self._own = busy_seconds(), own_seconds()

    def cores(self) -> float:
        """Cores that others kept busy, on average since the start."""
        wall = max(time.monotonic() - self._start, 1e-6)
        return others_cores(busy_seconds() - self._busy, own_seconds() - self._own, wall)


def others_cores(busy: float, own: float, wall: float) -> float:
    """Cores that others kept busy, from seconds of processor time and of the clock."""
    return max(0.0, (busy - own) / wall)


def busy_seconds() -> float:
    """Seconds for which the processors were busy for anyone, or taken by the host, since the machine started."""
    times = psutil.cpu_times()
    kinds = ("user", "nice", "system", "irq", "softirq", "steal")
    return float(sum(getattr(times, kind, 0.0) for kind in kinds))


def own_seconds() -> float:
    """Processor seconds of this process and all of its children, living and ended."""
    total = 0.0
    me = psutil.Process()
    for process in (me, *me.children(recursive=True)):
        try:
            total += sum(process.cpu_times()[:4])  # its own and its ended children's
        except psutil.Error:
            continue  # ended just now; its parent has its time
    return total


def verdict(value: float | None, target: float, others: float, *, at_least: bool = True) -> tuple[bool | None, str]:
    """Whether a figure meets its target, and the reason in words; None where nothing can be said."""
    if others > QUIET:
        return None, f"other processes took {others:.2f} cores meanwhile; more than {QUIET} is too much to judge"
    if value is None:
        return None, "it was not measured"
    good = value >= target if at_least else value <= target
    return good, f"{value:.3g} against a target of {'at least' if at_least else 'at most'} {target:g}"


def wait_for_quiet(seconds: float) -> float:
    """Look for a second or more at what others take, at most `seconds` long; returns their cores at the end."""
    end = time.monotonic() + seconds
    while True:
        others = Others()
        time.sleep(1.0)
        cores = others.cores()
        if cores <= QUIET or time.monotonic() >= end:
            return cores


def machine() -> dict[str, Any]:
    """The machine in a few words and numbers."""
    name = platform.processor() or platform.machine()
    described = Path("/proc/cpuinfo")
    if described.exists():
        lines = described.read_text().splitlines()
        name = next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), name)
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return {
        "processor": name, "cores": cores, "memory_gb": round(psutil.virtual_memory().total / 2**30),
        "system": platform.system(), "python": platform.python_version(),
    }  # fmt: skip


def code_hash(patterns: Iterable[str], root: Path = ROOT, settings: object = None) -> str:
    """A short hash of what a figure depends on: files by name and content, none matching is an error, and settings."""
    digest = hashlib.sha256(json.dumps(settings, sort_keys=True).encode())
    for pattern in patterns:
        paths = sorted(path for path in root.glob(pattern) if path.is_file())
        if not paths:
            raise FileNotFoundError(f"Nothing matches {pattern}; the benchmark must name the code that it measures.")
        for path in paths:
            digest.update(str(path.relative_to(root)).encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()[:16]


def commit() -> str:
    """The commit at hand, with a plus where tracked files were changed since; "" outside a repository."""

    def git(*words: str) -> str:
        return subprocess.run(["git", "-C", ROOT, *words], capture_output=True, text=True, check=False).stdout.strip()

    changed = git("status", "--porcelain", "--untracked-files=no")
    return git("rev-parse", "--short=12", "HEAD") + ("+" if changed else "")


def keep(name: str, result: dict[str, Any], folder: Path = KEPT) -> Path:
    """Store the result of a full run."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.json"
    path.write_text(json.dumps(result, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    return path


def kept(name: str, code: str, folder: Path = KEPT) -> dict[str, Any] | None:
    """The last full run, if it counts and the code is still what it measured; else None."""
    path = folder / f"{name}.json"
    if not path.exists():
        return None
    result: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return result if result.get("code") == code and result.get("counts") else None


def with_kept(result: dict[str, Any], name: str, long_figures: Iterable[str], folder: Path = KEPT) -> dict[str, Any]:
    """Add the figures too long for a quick run from the last full one, or null where there is none to go by."""
    full = kept(name, result["code"], folder)
    result["long_figures_from"] = {key: full[key] for key in ("commit", "date", "machine")} if full else None
    for key in long_figures:
        result[key] = full.get(key) if full else None
    return result


def stamped(name: str, code: str, others: float, *, anyway: bool) -> dict[str, Any]:
    """How every result begins: what, on which code and machine, when, how quiet, and whether it counts."""
    return {
        "bench": name, "code": code, "commit": commit(), "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": machine(), "others_cores": round(others, 3), "counts": not anyway and others <= QUIET,
    }  # fmt: skip


def write_section(name: str, text: str, page: Path = PAGE) -> None:
    """Replace a script's own section of the page, between its two marks."""
    whole = page.read_text(encoding="utf-8")
    start, end = f"<!-- {name}: written by bench/{name}.py --write -->", f"<!-- end of {name} -->"
    before, rest = whole.split(start)
    _, after = rest.split(end)
    page.write_text(f"{before}{start}\n{text.strip()}\n{end}{after}", encoding="utf-8")


def table(rows: Sequence[Sequence[str]]) -> str:
    """Rows as a Markdown table with even columns; the first row is its head."""
    widths = [max(len(row[place]) for row in rows) for place in range(len(rows[0]))]
    lines = ["| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |"
             for row in rows]  # fmt: skip
    return "\n".join([lines[0], "|" + "|".join("-" * (width + 2) for width in widths) + "|", *lines[1:]])


def origin(result: dict[str, Any]) -> str:
    """Where and when a result was measured, as a sentence."""
    at = result["machine"]
    return (
        f"Measured on {result['date'][:10]} at commit {result['commit']}, code {result['code']}: {at['processor']}, "
        f"{at['cores']} cores, {at['memory_gb']} GB, Python {at['python']}; "
        f"others took {result['others_cores']:.2f} cores."
    )


def arguments(description: str) -> argparse.ArgumentParser:
    """The options that all benchmarks share."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--quick", action="store_true", help="under 50 s; long figures come from the last full run")
    parser.add_argument("--anyway", action="store_true", help="measure on a busy machine; the result does not count")
    parser.add_argument("--write", action="store_true", help="write this script's section of bench/RESULTS.md")
    parser.add_argument("--wait", type=float, default=0.0, metavar="S", help="wait up to S seconds for quiet")
    return parser


def finish(result: dict[str, Any], people: str) -> int:
    """Print what people read, and last the line that machines read."""
    print(people, flush=True)
    print(json.dumps(result, sort_keys=True), flush=True)
    return 0


def refuse(result: dict[str, Any], figures: Iterable[str], reason: str) -> int:
    """End without a figure or a verdict, in words."""
    result |= {**{key: None for key in figures}, "verdict": None, "reason": reason, "counts": False}
    return finish(result, f"No verdict: {reason}.\nFor a look that does not count, add --anyway.")


def say(text: str) -> None:
    """A line on how it goes, beside the result."""
    print(text, file=sys.stderr, flush=True)
