"""Seconds from a sentence to pictures, by both engines, side by side with diffusers pipelines of stock classes.

    python bench/create.py [--quick] [--anyway] [--write] [--shape SIZE-PATCH-WIDTH-DEPTH]

All draw by turns, each in a process of its own, loaded and warm. The ratio is of median seconds for four
pictures, of our default engine against peers who have pictures of the same size, the same
number of steps, guidance, and within 5 % as many parameters. A full run adds batches of 1 and 16, and the
whole command `sfumato create`, from a cold start to signed files.
"""

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import measure
import peers
from measure import OUT, ROOT, quantile, ratio_interval, ratio_of_medians, say
from turns import Player, by_turns, python_command

sys.path.insert(0, str(ROOT))
from sfumato.checkpoints.header import read_header
from sfumato.checkpoints.models import EMBEDDED
from sfumato.generation.engines.onnx_local import graph_path

ALIKE = "if"  # the peer of the verdict draws pixels, as ours does; the other is told beside it
TARGET, LATENCY_TARGET = 1.5, 1.0
SHAPE = "32-4-192-8"
PEERS = ("pixart", "if")
CODE = (
    "sfumato/generation/drawing.py", "sfumato/generation/engines/*.py", "sfumato/generation/engines/graphs/*.onnx",
    "sfumato/models/*.py", "sfumato/models/samplers/dpmpp_2m.py", "sfumato/models/architectures/patch_transformer.py",
    "bench/create.py", "bench/draw_*.py", "bench/peers.py", "bench/stand_in.py", "bench/turns.py",
)  # fmt: skip
FIGURES = ("p50_s_batch4", "speedup_over_diffusers")
LONG = ("latency", "end_to_end_s")


def environment() -> dict[str, str]:
    """What our side sees: the shell's environment and this checkout."""
    paths = [str(ROOT), str(ROOT / "bench"), os.environ.get("PYTHONPATH", "")]
    return dict(os.environ) | {"PYTHONPATH": os.pathsep.join(path for path in paths if path)}


def model(shape: str | None) -> tuple[Path, Path, str]:
    """The model's file, its card, and what it is: the embedded one, or random weights of a shape."""
    embedded = EMBEDDED / "model.safetensors"
    if shape is None and embedded.exists():
        return embedded, EMBEDDED / "card.zip", "the embedded model"
    shape = shape or SHAPE
    folder = OUT / f"random-{shape}"
    if not (folder / "model.safetensors").exists():
        subprocess.run(python_command("stand_in.py", str(folder), shape), env=environment(), check=True)
    return folder / "model.safetensors", folder / "card.zip", f"random weights of shape {shape}"


def engines(path: Path) -> tuple[str, ...]:
    """The engines that can draw this model, the one that `create` takes by itself first."""
    header = read_header(path)
    both = ("onnx_local", "torch_local")
    return both if graph_path(header.architecture, header.options).exists() else both[1:]


def start(names: tuple[str, ...], path: Path, card: Path) -> list[Player]:
    """Start an engine or a peer for each name, all at once, and wait until all have loaded."""
    header = read_header(path)
    ours = Player(names[0], python_command("draw_ours.py", names[0], "--model", str(path), "--card", str(card)),
                  environment())  # fmt: skip
    players = [ours]
    counted = ["--size", str(header.options["size"]), "--patch", str(header.options["patch"]),
               "--parameters", str(ours.about["parameters"])]  # fmt: skip
    for name in names[1:]:
        if name in PEERS:
            command = python_command("draw_diffusers.py", name, *counted, python=str(peers.ensure("diffusers")))
            players.append(Player(name, command, peers.environment()))
        else:
            command = python_command("draw_ours.py", name, "--model", str(path), "--card", str(card))
            players.append(Player(name, command, environment()))
    for one in players:
        assert one.about
    return players


def seconds(turns: list[dict[str, Any]]) -> list[float]:
    """The seconds of each drawing of all turns."""
    return [one for turn in turns for one in turn["seconds"]]


def latencies(players: list[Player], batches: dict[int, int]) -> dict[str, dict[str, list[float]]]:
    """Seconds of each drawing, by player and batch, from so many rounds for each batch."""
    found: dict[str, dict[str, list[float]]] = {player.name: {} for player in players}
    for n, rounds in batches.items():
        for name, turns in by_turns(players, rounds, n=n, times=2).items():
            found[name][str(n)] = seconds(turns)
            say(f"{name}, batch {n}: {statistics.median(seconds(turns)):.3f} s")
    return found


def whole_command(times: int) -> tuple[list[float] | None, str]:
    """Seconds of `sfumato create` for four pictures in a new python each, and why there are none if there are none."""
    folder = Path(tempfile.mkdtemp(prefix="bench-", dir=OUT))
    told = environment() | {"SFUMATO_WORKSPACE": str(folder / "studio")}
    call = [sys.executable, "-m", "sfumato", "create", "a red apple, noto style", "-n", "4"]
    found = []
    try:
        for number in range(times + 1):
            begun = time.perf_counter()
            ran = subprocess.run(
                [*call, "--seed", str(number), "--out", str(folder / str(number))], env=told, capture_output=True,
                text=True, check=False,
            )  # fmt: skip
            if ran.returncode or len(list((folder / str(number)).glob("*.png"))) != 4:
                words = (ran.stderr or ran.stdout).strip().splitlines()
                return None, f"sfumato create ended with {ran.returncode}: {words[-1] if words else 'it said nothing'}"
            if number:  # the first makes the workspace and its key
                found.append(time.perf_counter() - begun)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return found, ""


def figures(found: dict[str, dict[str, list[float]]], about: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """What is reported of the drawings of four, which quick and full runs share."""
    default = next(iter(found))
    ours = found[default]["4"]
    against = {
        name: {
            "times_faster": round(ratio_of_medians(found[name]["4"], ours), 3),
            "interval": [round(edge, 3) for edge in ratio_interval(found[name]["4"], ours)],
            **about[name],
        }
        for name in PEERS
    }
    return {
        "engine": default, "p50_s_batch4": round(statistics.median(ours), 4),
        "p95_s_batch4": round(quantile(ours, 0.95), 4), "drawings": len(ours),
        "speedup_over_diffusers": against[ALIKE]["times_faster"], "peer": ALIKE, "peers": against,
        "parameters": about[default]["parameters"], "steps": about[default]["steps"],
    }  # fmt: skip


def uneven(result: dict[str, Any]) -> list[str]:
    """Peers whose number of parameters is further than 5 % from ours."""
    own = result["parameters"]
    return [name for name, peer in result["peers"].items() if abs(peer["parameters"] / own - 1) > 0.05]


def judged(result: dict[str, Any]) -> tuple[bool | None, str]:
    """Both targets in one verdict, and the reason in words."""
    if uneven(result):
        return None, f"not within 5 % as many parameters: {', '.join(uneven(result))}"
    faster, of_ratio = measure.verdict(result["speedup_over_diffusers"], TARGET, result["others_cores"])
    soon, of_latency = measure.verdict(result["p50_s_batch4"], LATENCY_TARGET, result["others_cores"], at_least=False)
    if faster is None or soon is None:
        return None, of_ratio
    return faster and soon, f"speed-up {of_ratio}; seconds for four pictures {of_latency}"


def for_people(result: dict[str, Any]) -> str:
    """The result as a page says it."""
    said = [
        measure.origin(result), "",
        f"Four pictures by {result['engine']} with {result['model']}: **{result['p50_s_batch4']:.2f} s** "
        f"(p95 {result['p95_s_batch4']:.2f} s), **{result['speedup_over_diffusers']:.2f} times** as fast as the "
        f"peer that draws pixels as ours does. Verdict: {result['reason']}.", "",
    ]  # fmt: skip
    rows = [["peer, float32, batch 4", "parameters", "ours is faster", "95 % of resamples"]]
    for name, peer in result["peers"].items():
        span = f"{peer['interval'][0]:.2f} to {peer['interval'][1]:.2f}"
        rows.append([f"{name} ({peer['class']}, diffusers {peer['diffusers']})", f"{peer['parameters']:,}",
                     f"{peer['times_faster']:.2f} times", span])  # fmt: skip
    said.append(measure.table(rows))
    if result.get("latency"):
        rows = [["seconds", *(f"batch {n}, p50 (p95)" for n in next(iter(result["latency"].values())))]]
        for name, by_batch in result["latency"].items():
            rows.append([name, *(f"{one['p50']:.3f} ({one['p95']:.3f})" for one in by_batch.values())])
        said += ["", measure.table(rows)]
    if result.get("end_to_end_s"):
        said += ["", f"The whole command `sfumato create … -n 4`, cold start to signed files: "
                     f"{result['end_to_end_s']:.2f} s (median)."]  # fmt: skip
    return "\n".join(said)


def lengthy(found: dict[str, dict[str, list[float]]]) -> dict[str, Any]:
    """The figures that only a full run has."""
    whole, why_not = whole_command(5)
    return {
        "latency": {
            name: {
                n: {"p50": round(statistics.median(times), 4), "p95": round(quantile(times, 0.95), 4)}
                for n, times in by_batch.items()
            }
            for name, by_batch in found.items()
        },
        "end_to_end_s": round(statistics.median(whole), 3) if whole else None,
        **({"end_to_end_reason": why_not} if why_not else {}),
        "long_figures_from": None,
    }


def main() -> int:
    """Measure, judge, say it to people, and end with one line of JSON."""
    parser = measure.arguments(__doc__.splitlines()[0])
    parser.add_argument("--shape", metavar="SIZE-PATCH-WIDTH-DEPTH", help="random weights of this shape")
    given: argparse.Namespace = parser.parse_args()
    OUT.mkdir(exist_ok=True)
    peers.ensure("diffusers")
    path, card, named = model(given.shape)
    code = measure.code_hash(CODE, settings=named)
    others = measure.wait_for_quiet(given.wait)
    begun = measure.stamped("create", code, others, anyway=given.anyway) | {"quick": given.quick, "model": named}
    measure.with_kept(begun, "create", LONG)
    if others > measure.QUIET and not given.anyway:
        return measure.refuse(begun, FIGURES, measure.verdict(None, TARGET, others)[1])
    players = start((*engines(path), *PEERS), path, card)
    try:
        watch = measure.Others()
        found = latencies(players, {4: 5} if given.quick else {1: 15, 4: 15, 16: 6})
        others = watch.cores()
    finally:
        for player in players:
            player.close()
    result = begun | measure.stamped("create", code, others, anyway=given.anyway)
    result |= figures(found, {player.name: player.about for player in players})
    result["verdict"], result["reason"] = judged(result)
    if not result["counts"] and not given.anyway:
        return measure.refuse(result, FIGURES, result["reason"])
    if not given.quick:
        result |= lengthy(found)
        if result["counts"]:
            measure.keep("create", result)
    if given.write and result["counts"]:
        measure.write_section("create", for_people(result))
    return measure.finish(result, for_people(result))


if __name__ == "__main__":
    sys.exit(main())
