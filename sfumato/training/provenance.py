"""Where a run comes from: the code that asked for it, versions, the machine, and what it took. Loads no torch."""

import platform
import subprocess
import sys
import time
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import sfumato
from sfumato.store import Store
from sfumato.training.hardware import cores, processor, processor_flags, text_of

PACKAGES = ("torch", "numpy", "safetensors", "pillow", "onnxruntime", "tokenizers", "diffusers", "transformers",
            "peft", "keras", "tensorflow", "jax")  # fmt: skip
LARGEST = 1_000_000  # bytes of a difference that are kept
PATIENCE = 10.0  # seconds for git
WATTS = 10.0  # of one busy core, where nothing measures: a desktop's or server's processor under load, shared out
EVERY = 300.0  # seconds after which the counters are to be read again
COUNTERS = Path("/sys/class/powercap")  # RAPL: microjoules of each processor package, counted by itself
QUIET = ("-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null", "--no-optional-locks")


def code_of(folder: Path, store: Store) -> dict[str, Any]:
    """The commit of the repository around `folder`, and by hash in `store` what differs from it; {} without one.

    The difference is that of tracked files, cut at a million bytes; how many files git does not track is told.
    """
    commit = _git(folder, "rev-parse", "HEAD").decode().strip()
    if not commit:
        return {}
    root = Path(_git(folder, "rev-parse", "--show-toplevel").decode().strip())
    diff = _git(root, "diff", "--no-ext-diff", "--no-textconv", "--no-color", "HEAD")
    untracked = _git(root, "ls-files", "--others", "--exclude-standard", "-z").count(b"\0")
    found: dict[str, Any] = {"repository": root.name, "commit": commit, "dirty": bool(diff), "untracked": untracked}
    if diff:
        found |= {"diff": store.put(diff[:LARGEST]), "diff_bytes": len(diff), "diff_whole": len(diff) <= LARGEST}
    return found


def _git(folder: Path, *words: str) -> bytes:
    """What git says; nothing where there is no git or no repository. It runs nothing that a repository names."""
    try:
        done = subprocess.run(
            ["git", *QUIET, "-C", str(folder), *words], capture_output=True, timeout=PATIENCE, check=False,
            stdin=subprocess.DEVNULL,
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired):
        return b""
    return done.stdout if done.returncode == 0 else b""


def environment() -> dict[str, Any]:
    """Versions of what computes, and the machine, as they are now."""
    found = {}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return {
        "sfumato": sfumato.__version__, "python": platform.python_version(), "packages": found,
        "system": f"{platform.system()} {platform.release()}", "processor": processor(),
        "flags": processor_flags(), "cores": cores(), "program": Path(sys.argv[0]).name if sys.argv else "",
    }  # fmt: skip


class Meter:
    """Time and energy since it was made, added to what earlier sittings of the run took.

    Energy is what the processor counts of itself (RAPL) for the whole machine, where that may be read; else an
    estimate: seconds of processor times ten watts a core. Nothing else of the machine is in it.
    """

    def __init__(
        self, before: dict[str, Any] | None = None, counters: Path = COUNTERS,
        *, others: Callable[[], float] = lambda: 0.0,
    ) -> None:  # fmt: skip
        self.before = before or {}
        self.others = others  # seconds of processor that other processes of the run took
        self.counters = counters
        self.started, self.cpu = time.monotonic(), time.process_time()
        self.joules, self.last, self.asked = 0.0, self._counted(), self.started

    def due(self) -> bool:
        """Whether it is time to read: a counter that begins anew twice between two readings would be read too low."""
        return time.monotonic() - self.asked > EVERY

    def read(self) -> dict[str, Any]:
        """Wall and processor seconds, watt-hours and how they are known; to be asked at least once in some minutes."""
        wall, cpu = time.monotonic() - self.started, time.process_time() - self.cpu + self.others()
        self.asked = time.monotonic()
        now = self._counted()
        for place, (count, most) in now.items():
            if place in self.last:
                gone = count - self.last[place][0]
                self.joules += (gone if gone >= 0 else gone + most) / 1e6  # a counter begins anew at its end
        self.last = now
        hours = (self.joules if now else cpu * WATTS) / 3600
        how = "measured by the processor, of the whole machine" if now else f"estimated at {WATTS:.0f} W a busy core"
        if self.before and self.before.get("energy_from") not in (None, how):
            how = "in part measured, in part estimated"
        return {
            "wall_seconds": round(self.before.get("wall_seconds", 0.0) + wall, 2),
            "cpu_seconds": round(self.before.get("cpu_seconds", 0.0) + cpu, 2),
            "energy_wh": round(self.before.get("energy_wh", 0.0) + hours, 5),
            "energy_from": how,
        }

    def _counted(self) -> dict[str, tuple[int, int]]:
        """Microjoules that each package has counted, and where its counter begins anew."""
        found = {}
        for folder in sorted(self.counters.glob("intel-rapl:[0-9]")):
            count = text_of(folder / "energy_uj").strip()
            most = text_of(folder / "max_energy_range_uj").strip()
            if count.isdigit() and most.isdigit():
                found[folder.name] = (int(count), int(most))
        return found


def told(details: dict[str, Any]) -> dict[str, Any]:
    """What a trace says of where a run comes from: few words, no paths."""
    known = details.get("provenance", {})
    code, host, took = known.get("code", {}), known.get("environment", {}), known.get("took", {})
    said: dict[str, Any] = {}
    if code:
        dirty = f", with changes kept as {code['diff'][:12]}" if code.get("dirty") else ""
        said["code"] = f"{code['repository']} at {code['commit'][:12]}{dirty}"
    if host:
        said["sfumato"] = host["sfumato"]
        said["processor"] = host["processor"]
    if fitted := known.get("fitted"):
        said["pictures"] = fit_in_words(fitted)
    if further := details.get("went_on"):
        steps = [f"after {one['at']:,} until {one['samples']:,}" for one in further]
        said["went_on"] = f"planned for {further[0]['planned']:,} pictures, gone on with {', then '.join(steps)}"
    if took:
        said["cpu_seconds"] = took["cpu_seconds"]
        said["energy"] = f"{took['energy_wh']:.3g} Wh, {took['energy_from']}"
    return said


def fit_in_words(fitted: dict[str, Any]) -> str:
    """How pictures became what the network sees: "in buckets: 40 of 576 × 448, 12 of 512 × 512; 30 are cropped ..."."""
    shapes = sorted(fitted["buckets"].items(), key=lambda one: (-one[1], one[0]))
    how = {"whole": "whole in squares", "crop": "cropped to squares", "buckets": "in buckets"}[fitted["fit"]]
    said = f"{how}: " + ", ".join(f"{count:,} of {shape.replace('x', ' × ')}" for shape, count in shapes)
    if fitted["cropped"]:
        said += f"; {fitted['cropped']:,} are cropped and lose {fitted['lost']:.1%} on average"
    return said + (f"; {fitted['padded']:,} lie on ground" if fitted["padded"] else "")
