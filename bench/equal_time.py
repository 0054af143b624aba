"""How near to the pictures that were learnt each side's drawings are after as many processor minutes.

A leg is one side and one seed, in a process of its own with one thread: whatever it does once its pictures are found
counts, the probe, looking ahead and the run's last looks included. Legs that are done are kept, so that a run that was
stopped goes on. All learn the same network, told nothing, from the same pictures, in the same batch. What is drawn is
compared by the Fréchet distance (Heusel et al. 2017, equation 6) in the features of Sfumato's own image encoder, with
equal numbers for all; a peer's drawings are by its weights or by their average, whichever are nearer.
"""

import json
import os
import subprocess
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import measure
import numpy as np
import peers
from measure import OUT, say
from turns import python_command

from sfumato.features.encoders import efficientnet_lite0

NAME = "training-equal-time"
SECONDS, DRAWN, SEEDS = 600.0, 500, (0, 1)
SIDES = ("ours", "lucidrains", "diffusers", "plain")
OPTIONS = {"width": 128, "depth": 6}  # a network that sees a thousand batches in ten minutes
RATES = {"lucidrains": 1e-3, "diffusers": 1e-3, "plain": 1e-3}  # ten times what they are by default: it is a short run
OBJECTIVES = {"lucidrains": "pred_x0", "diffusers": "epsilon"}  # the one of two that drew nearer in a trial
CODE = (
    "sfumato/training/loop.py", "sfumato/training/phases.py", "sfumato/training/recipes/flow.py",
    "sfumato/models/averages.py", "sfumato/models/muon.py", "sfumato/models/noise.py", "sfumato/models/patches.py",
    "sfumato/models/samplers/dpmpp_2m.py", "sfumato/models/architectures/patch_transformer.py",
    "bench/equal_time.py", "bench/untold.py", "bench/train_ours.py", "bench/train_plain.py",
    "bench/train_diffusers.py", "bench/train_lucidrains.py",
)  # fmt: skip


@dataclass(frozen=True)
class Place:
    """What all sides learn from, and how they are started."""

    workspace: Path
    data: str
    folder: Path
    network: str
    batch: int
    environments: Mapping[str, Mapping[str, str]]


def code() -> str:
    """The hash of all that the figure depends on."""
    return measure.code_hash(CODE, settings=[OPTIONS, RATES, OBJECTIVES, SECONDS, DRAWN, SEEDS])


def command(place: Place, side: str, seed: int) -> list[str]:
    """How a side is started, but for how long it learns."""
    if side in ("diffusers", "lucidrains"):
        told = ["--folder", str(place.folder), "--network", place.network, "--batch", str(place.batch)]
        told += ["--lr", str(RATES[side]), "--seed", str(seed), "--objective", OBJECTIVES[side]]
        return python_command(f"train_{side}.py", *told, python=str(peers.ensure(side)))
    options: dict[str, Any] = OPTIONS | {"seed": seed}
    if side == "plain":  # torch's own Muon takes five times as long as all else where there is no bfloat16
        options |= {"optimizer": "adamw", "lr": RATES[side]}
    told = ["--workspace", str(place.workspace), "--data", place.data, "--options", json.dumps(options)]
    more = ["--untold"] if side == "ours" else ["--folder", str(place.folder)]
    return python_command(f"train_{side}.py", *told, *more)


def run(place: Place, at_once: int) -> dict[str, Any]:
    """All legs that are not done yet, so many at once, one core each, and what came of them."""
    kept = OUT / "equal-time" / f"{code()}-{place.data}"  # of this code and these pictures
    kept.mkdir(parents=True, exist_ok=True)
    real = reference(place, kept)
    legs = [(side, seed) for seed in SEEDS for side in SIDES]
    with ThreadPoolExecutor(at_once) as pool:
        for side, seed in pool.map(lambda leg: learn(place, kept, *leg), legs):
            far = distances(kept / f"{side}-{seed}", real)
            say(f"{side}, seed {seed}: " + ", ".join(f"{name} {one:.2f}" for name, one in far.items()))
    return result(kept, real)


def learn(place: Place, kept: Path, side: str, seed: int) -> tuple[str, int]:
    """One leg, unless it is done already; raises CalledProcessError where a side fails."""
    out = kept / f"{side}-{seed}"
    if not out.with_suffix(".json").exists():
        told = [*command(place, side, seed), "--seconds", str(SECONDS), "--draw", str(DRAWN), "--out", str(out)]
        seen = {**place.environments[side], "OMP_NUM_THREADS": "1"}
        subprocess.run(told, env=seen, check=True, stdout=subprocess.DEVNULL)
    return side, seed


def reference(place: Place, kept: Path) -> np.ndarray:
    """Features (N, D) of all pictures that are learnt from, computed once."""
    path = kept / "reference.npy"
    if not path.exists():
        from untold import Pictures, as_pixels

        pictures = np.concatenate([as_pixels(one[None]) for one in Pictures(place.folder)])
        draft = path.with_suffix(".draft.npy")
        np.save(draft, efficientnet_lite0.encode(pictures))
        os.replace(draft, path)
    features: np.ndarray = np.load(path)
    return features


def distances(leg: Path, real: np.ndarray) -> dict[str, float]:
    """The Fréchet distance of a leg's drawings, by which of its weights drew them."""
    with np.load(leg.with_suffix(".npz")) as held:
        return {name: frechet(efficientnet_lite0.encode(held[name]), real) for name in held.files}


def frechet(one: np.ndarray, other: np.ndarray) -> float:
    """Fréchet distance of two sets of features (N, D) and (M, D), also where there are fewer than D.

    The trace of (S T)^(1/2) is the sum of the singular values of A B', for S = A' A and T = B' B.
    """
    means = [features.astype(np.float64).mean(0) for features in (one, other)]
    a, b = ((features - mean) / (len(features) - 1) ** 0.5 for features, mean in zip((one, other), means, strict=True))
    cross = np.linalg.svd(a @ b.T, compute_uv=False).sum()
    return float(((means[0] - means[1]) ** 2).sum() + (a**2).sum() + (b**2).sum() - 2 * cross)


def result(kept: Path, real: np.ndarray) -> dict[str, Any]:
    """What is reported of all legs: the worst seed of ours over the best of any peer."""
    legs: dict[str, list[dict[str, Any]]] = {side: [] for side in SIDES}
    for side in SIDES:
        for seed in SEEDS:
            path = kept / f"{side}-{seed}"
            said = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
            far = distances(path, real)
            legs[side].append(said | {"seed": seed, "by": {name: round(one, 4) for name, one in far.items()},
                                      "frechet": round(min(far.values()), 4)})  # fmt: skip
    best_peer = min(leg["frechet"] for side in SIDES[1:] for leg in legs[side])
    half = np.random.default_rng(0).permutation(len(real))
    return {
        "fd_ours_over_best_peer_equal_time": round(max(leg["frechet"] for leg in legs["ours"]) / best_peer, 4),
        "legs": legs, "encoder": f"EfficientNet-lite0 at {efficientnet_lite0.SIDE} pixels", "drawn": DRAWN,
        "real": len(real), "floor": round(frechet(real[half[:DRAWN]], real[half[DRAWN:]]), 4),
    }  # fmt: skip


def measured(place: Place, at_once: int) -> dict[str, Any]:
    """Run what is missing, and store the result with its commit, date and code."""
    stored = measure.stamped(NAME, code(), 0.0, anyway=False) | run(place, at_once) | {"data": place.data}
    del stored["others_cores"]  # equal processor time needs no quiet machine
    measure.keep(NAME, stored)
    return stored


def table(found: dict[str, Any]) -> str:
    """The legs as a table for the page."""
    rows = [["after ten processor minutes", "Fréchet distance, seeds 0 and 1", "steps", "parameters"]]
    for side, legs in found["legs"].items():
        far = ", ".join(f"{leg['frechet']:.3f}" for leg in legs)
        rows.append([side, far, ", ".join(str(leg["steps"]) for leg in legs), f"{legs[0]['parameters']:,}"])
    rows.append([f"{found['drawn']} of the pictures themselves", f"{found['floor']:.3f}", "", ""])
    return measure.table(rows)


def kept() -> dict[str, Any] | None:
    """The stored result, while the code is what it measured."""
    return measure.kept(NAME, code())
