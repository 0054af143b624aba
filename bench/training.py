"""Pictures a second of our training loop, side by side with a plain float32 PyTorch loop.

    python bench/training.py [--quick] [--anyway] [--write]

Both train the same network on the same pictures, turn and turn about, each in a process of its own; the ratio
is of the medians of all steps. A full run starts both anew several times and then takes one thing at a time
away from ours (number format, attention, pictures kept decoded, environment, Muon), to tell what it brings.
"""

import argparse
import json
import os
import statistics
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import measure
from measure import ROOT, ratio_interval, ratio_of_medians, say
from turns import Player, by_turns, python_command

sys.path.insert(0, str(ROOT))
from sfumato.jobs.worker import TUNED

TARGET = 2.5
CODE = (
    "sfumato/training/loop.py", "sfumato/training/machine.py", "sfumato/training/material.py",
    "sfumato/training/shards.py", "sfumato/training/recipes/flow.py", "sfumato/models/*.py",
    "sfumato/models/architectures/patch_transformer.py", "bench/training.py", "bench/train_*.py",
    "bench/pictures.py", "bench/turns.py",
)  # fmt: skip
FIGURES = ("speedup_over_plain", "images_per_second", "plain_images_per_second")
LONG = ("speedup_over_prepared", "breakdown")
TAKEN_AWAY = {
    "bf16": "bfloat16 products", "attention": "the attention that the probe chose", "kept": "pictures kept decoded",
    "environment": "passive waiting and the allocator's settings", "muon": "Muon (AdamW instead)",
}  # fmt: skip


@dataclass(frozen=True)
class Material:
    """What both sides train on, and with which options of the recipe."""

    workspace: Path
    data: str
    options: str


def environment(*, tuned: bool) -> dict[str, str]:
    """What a child sees: the worker's settings for training, or what a shell has by default."""
    found = (TUNED if tuned else {}) | dict(os.environ)  # as the worker: what a shell has set goes first
    paths = [str(ROOT), str(ROOT / "bench"), os.environ.get("PYTHONPATH", "")]
    return found | {"PYTHONPATH": os.pathsep.join(path for path in paths if path)}


def player(name: str, where: Material, *more: str, tuned: bool = True) -> Player:
    """Start one side and wait until it has loaded its pictures; ours also until it has probed."""
    script = "train_plain.py" if name in ("plain", "prepared") else "train_ours.py"
    told = ["--workspace", str(where.workspace), "--data", where.data, "--options", where.options, *more]
    found = Player(name, python_command(script, *told), environment(tuned=tuned))
    assert found.about  # it has loaded, so that the next one loads and probes undisturbed
    return found


def compare(where: Material, starts: int, rounds: int, seconds: float, tries: int) -> dict[str, Any]:
    """Ours and plain by turns, both started anew `starts` times; the probe's choices are made once."""
    heard: dict[str, list[dict[str, Any]]] = {"ours": [], "plain": []}
    chosen: tuple[str, ...] = ("--tries", str(tries))
    about: dict[str, Any] = {}
    others = 0.0
    for start in range(starts):
        with player("plain", where, tuned=False) as plain, player("ours", where, *chosen) as ours:
            about = {"ours": ours.about, "plain": plain.about}
            chosen = ("--machine", json.dumps(ours.about["machine"]))
            watch = measure.Others()
            for name, turns in by_turns([ours, plain], rounds, at_least=seconds, times=2).items():
                heard[name] += turns
            others = max(others, watch.cores())
            say(f"start {start + 1} of {starts}: {rate(heard['ours'], about['ours']):.1f} images/s, plain "
                f"{rate(heard['plain'], about['plain']):.1f}; others took {others:.2f} cores")  # fmt: skip
    return {"heard": heard, "about": about, "others": others}


def rate(turns: list[dict[str, Any]], about: dict[str, Any]) -> float:
    """Images a second by the median step."""
    return float(about["batch"] / statistics.median(steps(turns)))


def steps(turns: list[dict[str, Any]]) -> list[float]:
    """The seconds of each step of all turns."""
    return [seconds for turn in turns for seconds in turn["seconds"]]


def taken_away(where: Material, machine: dict[str, Any], rounds: int, seconds: float) -> dict[str, Any]:
    """How many times faster our loop is with each thing than without it, each pair by turns."""
    found: dict[str, Any] = {}
    chosen = ("--machine", json.dumps(machine))
    with player("ours", where, *chosen) as ours:
        for name in TAKEN_AWAY:
            more = () if name == "environment" else ("--without", name)
            with player(name, where, *chosen, *more, tuned=name != "environment") as other:
                heard = by_turns([ours, other], rounds, at_least=seconds, times=2)
            with_it, without = steps(heard["ours"]), steps(heard[name])
            found[name] = {
                "times_faster": round(ratio_of_medians(without, with_it), 3),
                "interval": [round(edge, 3) for edge in ratio_interval(without, with_it)],
            }
            say(f"{TAKEN_AWAY[name]}: {found[name]['times_faster']:.2f} times")
    return found


def over_prepared(where: Material, machine: dict[str, Any], rounds: int, seconds: float) -> float:
    """How many times faster ours is than a plain loop that is given small files and encoded captions."""
    chosen = ("--machine", json.dumps(machine))
    with player("prepared", where, "--prepared", tuned=False) as plain, player("ours", where, *chosen) as ours:
        heard = by_turns([ours, plain], rounds, at_least=seconds, times=2)
    return round(ratio_of_medians(steps(heard["prepared"]), steps(heard["ours"])), 3)


def per_step(turns: list[dict[str, Any]], key: str) -> float:
    """Processor seconds, system seconds or page faults of one step, on average."""
    return float(sum(turn[key] for turn in turns) / max(len(steps(turns)), 1))


def figures(found: dict[str, Any]) -> dict[str, Any]:
    """What is reported of a comparison."""
    ours, plain = found["heard"]["ours"], found["heard"]["plain"]
    about = found["about"]
    low, high = ratio_interval(steps(plain), steps(ours))
    return {
        "speedup_over_plain": round(ratio_of_medians(steps(plain), steps(ours)), 3),
        "interval": [round(low, 3), round(high, 3)],
        "images_per_second": round(rate(ours, about["ours"]), 2),
        "plain_images_per_second": round(rate(plain, about["plain"]), 2),
        "steps": [len(steps(ours)), len(steps(plain))],
        "choices": about["ours"]["machine"], "plain_threads": about["plain"]["threads"],
        "batch": about["ours"]["batch"], "parameters": about["ours"]["parameters"],
        "pictures": about["ours"]["pictures"], "torch": about["plain"]["torch"],
        "a_step": {
            name: {key: round(per_step(turns, key), 4) for key in ("cpu", "system", "faults")}
            for name, turns in (("ours", ours), ("plain", plain))
        },
    }  # fmt: skip


def for_people(result: dict[str, Any]) -> str:
    """The result as a page says it."""
    low, high = result["interval"]
    choices, a_step = result["choices"], result["a_step"]
    rows = [["", "images/s", "processor s a step", "page faults a step"]]
    for name, key in (("ours", "images_per_second"), ("plain", "plain_images_per_second")):
        rows.append([name, f"{result[key]:.1f}", f"{a_step[name]['cpu']:.2f}", f"{a_step[name]['faults']:.0f}"])
    said = [
        measure.origin(result), "",
        f"**{result['speedup_over_plain']:.2f} times** the plain loop (95 % of resamples: {low:.2f} to {high:.2f}), "
        f"batch {result['batch']}, {result['parameters']:,} parameters, {result['pictures']:,} pictures. "
        f"Verdict: {result['reason']}.",
        f"Chosen by the probe: {'bfloat16' if choices['bf16'] else 'float32'}, "
        f"{'fused' if choices['fused_attention'] else 'plain'} attention, {choices['threads']} threads.",
        "", measure.table(rows),
    ]  # fmt: skip
    if result.get("speedup_over_prepared"):
        over = result["speedup_over_prepared"]
        said += ["", f"{over:.2f} times a plain loop that is given small files and encoded captions."]
    if result.get("breakdown"):
        rows = [["our loop with", "times as fast as without it", "95 % of resamples"]]
        for name, one in result["breakdown"].items():
            span = f"{one['interval'][0]:.2f} to {one['interval'][1]:.2f}"
            rows.append([TAKEN_AWAY[name], f"{one['times_faster']:.2f}", span])
        said += ["", measure.table(rows)]
    return "\n".join(said)


def main() -> int:
    """Measure, judge, say it to people, and end with one line of JSON."""
    parser = measure.arguments(__doc__.splitlines()[0])
    parser.add_argument("--workspace", type=Path, help="pictures of a workspace instead of the shipped sample")
    parser.add_argument("--data", help="NAME@VERSION in that workspace")
    parser.add_argument("--options", default="{}", help="of the recipe as JSON, such as '{\"batch\": 64}'")
    given: argparse.Namespace = parser.parse_args()
    code = measure.code_hash(CODE, settings=[TUNED, json.loads(given.options)])
    others = measure.wait_for_quiet(given.wait)
    begun = measure.stamped("training", code, others, anyway=given.anyway) | {"quick": given.quick}
    measure.with_kept(begun, "training", LONG)
    if others > measure.QUIET and not given.anyway:
        return measure.refuse(begun, FIGURES, measure.verdict(None, TARGET, others)[1])
    from pictures import prepare

    folder = given.workspace or measure.OUT / "studio"
    where = Material(folder, given.data or prepare(folder), given.options)
    found = compare(where, 1, 4, 2.0, tries=1) if given.quick else compare(where, 3, 8, 3.0, tries=3)
    others = found["others"]
    result = begun | measure.stamped("training", code, others, anyway=given.anyway) | figures(found)
    result["verdict"], result["reason"] = measure.verdict(result["speedup_over_plain"], TARGET, others)
    if not result["counts"] and not given.anyway:
        return measure.refuse(result, FIGURES, result["reason"])
    if not given.quick:
        result["speedup_over_prepared"] = over_prepared(where, result["choices"], 4, 3.0)
        result["breakdown"] = taken_away(where, result["choices"], 4, 3.0)
        result["long_figures_from"] = None
        if result["counts"]:
            measure.keep("training", result)
    if given.write and result["counts"]:
        measure.write_section("training", for_people(result))
    return measure.finish(result, for_people(result))


if __name__ == "__main__":
    sys.exit(main())
