"""Pictures a processor second of our training loops, side by side with plain PyTorch and with the libraries' own.

    python bench/training.py [--quick] [--anyway] [--write]
    python bench/training.py --equal-time --workspace STUDIO --data NAME@VERSION

Each peer trains the same network on the same pictures as the run of ours that it is held against, in the same batch, by
turns, each in a process of its own; a ratio is of the medians of turns. A full run starts all anew several times and
then takes one thing at a time away from ours (number format, attention, pictures kept decoded, environment, Muon), to
tell what it brings. `--equal-time` lets all learn for ten processor minutes and compares what they draw then.
"""

import argparse
import json
import os
import statistics
import sys
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import measure
import peers
from measure import ROOT, ratio_interval, ratio_of_medians, say
from turns import Player, by_turns, python_command

sys.path.insert(0, str(ROOT))
import equal_time

from sfumato.jobs.worker import TUNED

TARGET = 2.5
TARGETS = {  # and whether a figure should be at least that, or at most
    "speedup_over_plain": (TARGET, True), "speedup_over_best_peer": (1.0, True),
    "fd_ours_over_best_peer_equal_time": (1.0, False),
}  # fmt: skip
AGAINST = {  # whom each peer is held against; the same network, batch and kind of optimiser
    "plain": "ours", "plain_adamw": "ours_adamw", "diffusers": "ours_adamw", "lucidrains": "ours_adamw",
    "plain_gan": "ours_gan",
}  # fmt: skip
PROBING = ("ours", "ours_gan")  # those of ours that find out for themselves what is fastest
NAMED = {
    "plain": "plain loop, told words, Muon", "plain_adamw": "plain loop, AdamW",
    "diffusers": "diffusers' tutorial, AdamW", "lucidrains": "denoising-diffusion-pytorch, Adam",
    "plain_gan": "plain loop, R3GAN",
}  # fmt: skip
CODE = (
    "sfumato/training/loop.py", "sfumato/training/machine.py", "sfumato/training/material.py",
    "sfumato/training/shards.py", "sfumato/training/recipes/flow.py", "sfumato/training/recipes/r3gan.py",
    "sfumato/models/*.py", "sfumato/models/architectures/patch_transformer.py",
    "sfumato/models/architectures/r3gan.py", "bench/training.py", "bench/train_*.py", "bench/pictures.py",
    "bench/peers.py", "bench/turns.py", "bench/untold.py",
)  # fmt: skip
QUICK = {"width": 64, "depth": 4}  # a twentieth of the default weights, so that a loop that takes long steps takes some
FIGURES = ("speedup_over_plain", "speedup_over_best_peer", "images_per_second", "plain_images_per_second")
LONG = ("speedup_over_best_peer", "speedup_over_prepared", "breakdown")  # of a quick run: those of the last full one
TAKEN_AWAY = {
    "bf16": "bfloat16 products", "attention": "the attention that the probe chose", "kept": "pictures kept decoded",
    "environment": "passive waiting and the allocator's settings", "muon": "Muon (AdamW instead)",
}  # fmt: skip


@dataclass(frozen=True)
class Material:
    """What all sides train on, and with which options of the recipe `flow`."""

    workspace: Path
    data: str
    options: str
    folder: Path  # the same pictures at the network's size, as files
    network: str  # options of the network, for those who do not know the recipe
    batch: int


def environment(*, tuned: bool) -> dict[str, str]:
    """What a child sees: the worker's settings for training, or what a shell has by default."""
    found = (TUNED if tuned else {}) | dict(os.environ)  # as the worker: what a shell has set goes first
    paths = [str(ROOT), str(ROOT / "bench"), os.environ.get("PYTHONPATH", "")]
    return found | {"PYTHONPATH": os.pathsep.join(path for path in paths if path)}


def peers_environment() -> dict[str, str]:
    """What a peer's child sees: the shell's environment, and of ours the network."""
    return peers.environment() | {"PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "bench")])}


def child(name: str, where: Material, *more: str, tuned: bool) -> Player:
    """Start one side, which loads its pictures; one of ours that is not told what is fastest probes for it."""
    told = ["--workspace", str(where.workspace), "--data", where.data, "--options", where.options]
    untold = ["--folder", str(where.folder)]
    adamw = json.dumps(json.loads(where.options) | {"optimizer": "adamw"})
    whole = {
        "plain": ["train_plain.py", *told], "prepared": ["train_plain.py", *told],
        "plain_adamw": ["train_plain.py", *told, "--options", adamw, *untold],
        "plain_gan": ["train_plain_gan.py", *untold], "ours_adamw": ["train_ours.py", *told, "--untold"],
        "ours_gan": ["train_ours_gan.py", *told, "--options", "{}", "--recipe", "r3gan", "--untold"],
    }.get(name, ["train_ours.py", *told])  # fmt: skip
    if name in ("diffusers", "lucidrains"):
        whole = [f"train_{name}.py", *untold, "--network", where.network, "--batch", str(where.batch)]
        return Player(name, python_command(*whole, python=str(peers.ensure(name))), peers_environment())
    return Player(name, python_command(*whole, *more), environment(tuned=tuned))


def player(name: str, where: Material, *more: str, tuned: bool = True) -> Player:
    """Start one side and wait until it has loaded its pictures; ours also until it has probed."""
    found = child(name, where, *more, tuned=tuned)
    assert found.about  # it has loaded, so that the next one loads and probes undisturbed
    return found


def all_sides(
    stack: ExitStack, where: Material, chosen: dict[str, tuple[str, ...]], against: tuple[str, ...]
) -> list[Player]:  # fmt: skip
    """These peers and the runs of ours that they are held against, ours first.

    Each of ours that probes does so alone, as a run of its recipe would; then the others load together.
    """
    held = {"ours", *(AGAINST[name] for name in against)}
    found = [stack.enter_context(player(name, where, *chosen[name])) for name in PROBING if name in held]
    known = ("--machine", json.dumps(found[0].about["machine"]))
    for name in (*sorted(held - set(PROBING)), *against):
        more = () if name in AGAINST else (*known, "--without", "muon")
        found.append(stack.enter_context(child(name, where, *more, tuned=name not in AGAINST)))
    for one in found:
        assert one.about
    return found


def compare(
    where: Material, starts: int, rounds: int, seconds: float, tries: int, against: tuple[str, ...] = tuple(AGAINST)
) -> dict[str, Any]:  # fmt: skip
    """All sides by turns, started anew `starts` times; the probes' choices are made once."""
    heard: dict[str, list[dict[str, Any]]] = {}
    chosen: dict[str, tuple[str, ...]] = dict.fromkeys(PROBING, ("--tries", str(tries)))
    about: dict[str, Any] = {}
    others = 0.0
    for start in range(starts):
        with ExitStack() as stack:
            sides = all_sides(stack, where, chosen, against)
            about = {side.name: side.about for side in sides}
            chosen |= {name: ("--machine", json.dumps(about[name]["machine"])) for name in PROBING if name in about}
            watch = measure.Others()
            for name, turns in by_turns(sides, rounds, at_least=seconds, times=1).items():
                heard.setdefault(name, []).extend(turns)
            others = max(others, watch.cores())
            speeds = ", ".join(f"{name} {one['batch'] / statistics.median(costs(heard[name])):.1f}"
                               for name, one in about.items())  # fmt: skip
            say(f"start {start + 1} of {starts}, pictures a processor second: {speeds}; others took {others:.2f} cores")
    return {"heard": heard, "about": about, "others": others}


def costs(turns: list[dict[str, Any]]) -> list[float]:
    """The processor seconds of a step, one number for each turn."""
    return [turn["cpu"] / len(turn["seconds"]) for turn in turns]


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


def against(heard: dict[str, list[dict[str, Any]]]) -> dict[str, Any]:
    """How many times as many pictures ours sees as each peer in a processor second, and by the clock."""
    found: dict[str, Any] = {}
    for peer, ours in AGAINST.items():
        if peer not in heard:
            continue
        slow, quick = costs(heard[peer]), costs(heard[ours])
        found[peer] = {
            "times_faster": round(ratio_of_medians(slow, quick), 3),
            "interval": [round(edge, 3) for edge in ratio_interval(slow, quick)],
            "by_the_clock": round(ratio_of_medians(steps(heard[peer]), steps(heard[ours])), 3),
        }
    return found


def figures(found: dict[str, Any]) -> dict[str, Any]:
    """What is reported of a comparison."""
    heard, about = found["heard"], found["about"]
    ours, plain = heard["ours"], heard["plain"]
    beside = against(heard)
    quickest = {"speedup_over_best_peer": min(one["times_faster"] for one in beside.values())}
    return (quickest if len(beside) == len(AGAINST) else {}) | {
        "speedup_over_plain": beside["plain"]["times_faster"], "interval": beside["plain"]["interval"],
        "against": beside,
        "images_per_second": round(rate(ours, about["ours"]), 2),
        "plain_images_per_second": round(rate(plain, about["plain"]), 2),
        "images_per_cpu_second": {
            name: round(one["batch"] / statistics.median(costs(heard[name])), 2) for name, one in about.items()
        },
        "steps": {name: len(steps(turns)) for name, turns in heard.items()},
        "choices": about["ours"]["machine"], "choices_gan": about.get("ours_gan", {}).get("machine"),
        "plain_threads": about["plain"]["threads"],
        "batch": about["ours"]["batch"], "pictures": about["ours"]["pictures"], "torch": about["plain"]["torch"],
        "parameters": {name: one["parameters"] for name, one in about.items()},
        "a_step": {
            name: {key: round(per_step(turns, key), 4) for key in ("cpu", "system", "faults")}
            for name, turns in (("ours", ours), ("plain", plain))
        },
    }  # fmt: skip


def judged(result: dict[str, Any]) -> tuple[bool | None, str]:
    """All targets in one verdict, and the reason in words."""
    others = result["others_cores"]
    if others > measure.QUIET:
        return measure.verdict(None, TARGET, others)
    said = {key: measure.verdict(result[key], target, others, at_least=good) for key, (target, good) in TARGETS.items()}
    missed = [f"{key} is {why}" for key, (good, why) in said.items() if good is False]
    unsaid = [f"{key}: {why}" for key, (good, why) in said.items() if good is None]
    if missed or unsaid:
        return (None if unsaid and not missed else False), "; ".join(missed + unsaid)
    return True, "every figure meets its target"


def with_equal_time(result: dict[str, Any]) -> dict[str, Any]:
    """Add what the sides drew after equal time, while the code is what that measured; else null."""
    kept = measure.kept(equal_time.NAME, equal_time.code())
    key = "fd_ours_over_best_peer_equal_time"
    result[key] = kept[key] if kept else None
    result["equal_time"] = kept
    return result


def for_people(result: dict[str, Any]) -> str:
    """The result as a page says it."""
    pace = result["images_per_cpu_second"]
    rows = [["peer", "pictures a processor s", "ours", "ours is faster", "95 % of resamples", "by the clock"]]
    for name, one in result["against"].items():
        low, high = one["interval"]
        rows.append([NAMED[name], f"{pace[name]:.1f}", f"{pace[AGAINST[name]]:.1f}", f"{one['times_faster']:.2f} times",
                     f"{low:.2f} to {high:.2f}", f"{one['by_the_clock']:.2f} times"])  # fmt: skip
    of_all, gan = result["speedup_over_best_peer"], result["parameters"].get("ours_gan")
    best = "the quickest peer was not measured" if of_all is None else f"**{of_all:.2f} times** the quickest peer"
    sizes = f"{result['parameters']['ours']:,} parameters" + (f", of the GAN {gan:,}" if gan else "")
    said = [
        measure.origin(result), "",
        f"**{result['speedup_over_plain']:.2f} times** the plain loop and "
        f"{best}; batch {result['batch']}, {sizes}, {result['pictures']:,} pictures. Verdict: {result['reason']}.",
        f"Chosen by the probe: {chosen(result['choices'])}, "
        f"{'fused' if result['choices']['fused_attention'] else 'plain'} attention"
        + (f"; for the GAN {chosen(result['choices_gan'])}." if result.get("choices_gan") else "."),
        "", measure.table(rows),
    ]  # fmt: skip
    if result.get("speedup_over_prepared"):
        over = result["speedup_over_prepared"]
        said += ["", f"{over:.2f} times a plain loop that is given small files and encoded captions, by the clock."]
    if result.get("breakdown"):
        rows = [["our loop with", "times as fast as without it", "95 % of resamples"]]
        for name, one in result["breakdown"].items():
            span = f"{one['interval'][0]:.2f} to {one['interval'][1]:.2f}"
            rows.append([TAKEN_AWAY[name], f"{one['times_faster']:.2f}", span])
        said += ["", measure.table(rows)]
    if result.get("equal_time"):
        said += ["", after_equal_time(result["equal_time"])]
    return "\n".join(said)


def chosen(machine: dict[str, Any]) -> str:
    """What a probe chose of numbers, threads and parts of a batch, in words."""
    numbers = "bfloat16" if machine["bf16"] else "float32"
    whole = f"batches in {machine['shards']} parts" if machine["shards"] > 1 else "whole batches"
    return f"{numbers}, {machine['threads']} threads, {whole}"


def after_equal_time(found: dict[str, Any]) -> str:
    """What came of equal time, as a page says it."""
    return (
        f"At commit {found['commit']} on {found['date'][:10]}, code {found['code']}, learning {found['data']} "
        f"({found['real']:,} pictures); {found['drawn']} drawings of each, in the features of {found['encoder']}: "
        f"our worse seed is **{found['fd_ours_over_best_peer_equal_time']:.2f} times** as far as any peer's best.\n\n"
        + equal_time.table(found)
    )


def main() -> int:
    """Measure, judge, say it to people, and end with one line of JSON."""
    parser = measure.arguments(__doc__.splitlines()[0])
    parser.add_argument("--workspace", type=Path, help="pictures of a workspace instead of the shipped sample")
    parser.add_argument("--data", help="NAME@VERSION in that workspace")
    parser.add_argument("--options", default="{}", help="of the recipe as JSON, such as '{\"batch\": 64}'")
    parser.add_argument("--equal-time", action="store_true", help="only what is drawn after equal time; hours")
    parser.add_argument("--at-once", type=int, default=1, help="how many of these learn at once; at most one a core")
    given: argparse.Namespace = parser.parse_args()
    for name in ("diffusers", "lucidrains"):
        peers.ensure(name)
    if given.equal_time:
        found = equal_time.measured(equal_place(material(given, equal_time.OPTIONS)), given.at_once)
        return measure.finish(found, after_equal_time(found))
    code = measure.code_hash(CODE, settings=[TUNED, json.loads(given.options)])
    others = measure.wait_for_quiet(given.wait)
    begun = measure.stamped("training", code, others, anyway=given.anyway) | {"quick": given.quick}
    with_equal_time(measure.with_kept(begun, "training", LONG))
    if others > measure.QUIET and not given.anyway:
        return measure.refuse(begun, FIGURES, measure.verdict(None, TARGET, others)[1])
    where = material(given, (QUICK if given.quick else {}) | json.loads(given.options))
    found = compare(where, 1, 5, 0.5, 1, ("plain",)) if given.quick else compare(where, 3, 6, 2.0, 3)
    others = found["others"]
    result = begun | measure.stamped("training", code, others, anyway=given.anyway) | figures(found)
    result["verdict"], result["reason"] = judged(result)
    if not result["counts"] and not given.anyway:
        return measure.refuse(result, FIGURES, measure.verdict(None, TARGET, others)[1])
    if not given.quick:
        result["speedup_over_prepared"] = over_prepared(where, result["choices"], 4, 3.0)
        result["breakdown"] = taken_away(where, result["choices"], 4, 3.0)
        result["long_figures_from"] = None
        if result["counts"]:
            measure.keep("training", result)
    if given.write and result["counts"]:
        measure.write_section("training", for_people(result))
    return measure.finish(result, for_people(result))


def material(given: argparse.Namespace, wanted: dict[str, Any]) -> Material:
    """The pictures that were asked for, or the shipped sample, in a workspace and in a folder."""
    from pictures import export_learnt, prepare

    from sfumato.training.recipes import flow

    studio = given.workspace or measure.OUT / "studio"
    data = given.data or prepare(studio)
    options = flow.Options(**wanted)
    network = flow.network_options(options).model_dump_json()
    return Material(studio, data, json.dumps(wanted), export_learnt(studio, data, options.size), network, options.batch)


def equal_place(where: Material) -> "equal_time.Place":
    """The same, as the legs of equal time want it."""
    seen = {"ours": environment(tuned=True), "plain": environment(tuned=False)}
    seen |= {name: peers_environment() for name in ("diffusers", "lucidrains")}
    return equal_time.Place(where.workspace, where.data, where.folder, where.network, where.batch, seen)


if __name__ == "__main__":
    sys.exit(main())
