"""Diffusion models and a GAN taught the same pictures for the same processor time, and what they draw.

python -m bench.families STUDIO DATASET --recipe flow|edm|r3gan --minutes 10 --out FOLDER trains on a frozen dataset
of a workspace, samples sized by a first measurement of speed, and writes a sheet of drawings (PNG), the losses (JSON
lines) and the figures (JSON): in EfficientNet's features the kernel distance of drawings to held-out pictures
(Binkowski et al. 2018), their density and coverage (Naeem et al. 2020), and, for Fashion-MNIST, how the drawings spread
over its ten classes as a small network tells them apart.
"""

import argparse
import json
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from torch import nn

from docs.fashion import framed, read
from sfumato.actions import Workspace
from sfumato.data.versions import open_version
from sfumato.features.encoders import efficientnet_lite0
from sfumato.models.guidance import guided
from sfumato.models.noise import falling_noise, rising_times, starting_noise
from sfumato.models.samplers import dpmpp_2m
from sfumato.training.loop import Learner, averaged, take_step, train
from sfumato.training.machine import Machine, has_bf16
from sfumato.training.material import Material, load_material
from sfumato.training.nearness import discrepancy, measure
from sfumato.training.recipes import edm, flow, r3gan

RECIPES: dict[str, Any] = {"flow": flow, "edm": edm, "r3gan": r3gan}
ALONE = {"drop_words": 1.0, "same_concept": 0.0, "near_concept": 0.0}
UNTOLD = {  # of Fashion-MNIST all are told nothing, so that which classes they draw is their own choice
    "flow": ALONE, "edm": ALONE, "r3gan": {"words": "none"},
}  # fmt: skip
STEPS = 18  # of a diffusion model's drawings, with one call each, or two where it is guided
GUIDANCE, GUIDED = 2.0, (0.1, 0.9)  # of flow's drawings by words: strength, and the times of it
NEAREST = 5  # pictures, whose farthest bounds the neighbourhood of a real one


def material_of(studio: Path, dataset: str, size: int) -> Material:
    """The dataset's newest version as runs learn from it."""
    with Workspace.open(studio) as workspace:
        steps = load_material(open_version(workspace, dataset), size, workspace.path / "cache")
        while True:
            try:
                next(steps)
            except StopIteration as finished:
                material: Material = finished.value
                return material


def sized(recipe: Any, options: Any, material: Material, seconds: float) -> Any:
    """The options with as many samples as fit into so many processor seconds, by three steps' measure."""
    trier = Learner.fresh(recipe, options, machine())
    take_step(trier, recipe.batch(options, material, 0))
    start = time.process_time()
    for turn in range(3):
        take_step(trier, recipe.batch(options, material, turn * options.batch))
    speed = 3 * options.batch / (time.process_time() - start)
    samples = max(int(0.93 * speed * seconds) // options.batch, 4) * options.batch  # the rest is for looking
    every = max(samples // 6, options.batch)
    return options.model_copy(update={"samples": samples, "checkpoint_every": every, "preview_every": samples})


def machine() -> Machine:
    """One thread, in bfloat16 where that is quick."""
    return Machine(bf16=has_bf16(), fused_attention=False, threads=1)


def draw(learner: Learner, material: Material, rows: np.ndarray, *, told: bool) -> np.ndarray:
    """A picture for each row's caption, or with nothing said, from seeds 1000 and on, (N, S, S, 4) uint8."""
    captions, still = material.captions[rows, 0], np.zeros(len(rows), bool)
    leaned = flow.best(material, rows) if told else np.full(len(rows), -1)
    given = material.tensors(rows, captions, leaned, still)
    words_on = given["words_on"] * told
    seeds = [1000 + place for place in range(len(rows))]

    def look(net: Any) -> np.ndarray:
        if learner.recipe is r3gan:
            z = torch.from_numpy(starting_noise(seeds, (learner.options.latent,)))
            return r3gan.as_pixels(net.generator(z, given["words"], words_on).float())
        times = rising_times(STEPS) if learner.recipe is flow else falling_noise(STEPS)
        z = torch.from_numpy(starting_noise(seeds, tuple(given["x"].shape[1:]))) * (1 - times[0])

        def denoise(z: Any, t: float, said: float = 1.0) -> Any:
            moment, beside_on = torch.full((len(z),), t), given["reference_on"] * said
            return net(z, moment, given["words"], words_on * said, given["reference"], beside_on).float()

        if learner.recipe is flow and told:
            both = guided(lambda z, t: (denoise(z, t), denoise(z, t, 0.0)), denoise, GUIDANCE, GUIDED)
            *_, drawn = dpmpp_2m.sample(both, z, times)
        else:
            *_, drawn = dpmpp_2m.sample(denoise, z, times)
        return r3gan.as_pixels(drawn)

    found: np.ndarray = averaged(learner, look)
    return found


def covered(drawn: np.ndarray, real: np.ndarray) -> dict[str, float]:
    """Density and coverage of drawings (M, D) over real pictures (N, D), both features (Naeem et al. 2020, 2002.09797).

    A real picture's neighbourhood reaches to its fifth nearest real one. Density is how many neighbourhoods a drawing
    lies in, over five (equations 4); coverage the share of real pictures with a drawing in theirs (equation 5).
    """
    among = apart(real, real)
    reach = np.sort(among, axis=1)[:, NEAREST]  # the nearest is itself
    within = apart(real, drawn) <= reach[:, None]  # (N, M)
    density, coverage = float(within.sum(0).mean() / NEAREST), float(within.any(1).mean())
    return {"density": round(density, 4), "coverage": round(coverage, 4)}


def apart(some: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Squared distances (N, M) of two sets of features."""
    squares = (some**2).sum(1)[:, None] + (others**2).sum(1)[None]
    found: np.ndarray = np.maximum(squares - 2 * some @ others.T, 0)
    return found


class Teller(nn.Module):
    """Tells Fashion-MNIST's classes apart: two convolutions and two layers."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(1, 24, 5, 2, 2), nn.ReLU(), nn.Conv2d(24, 48, 3, 2, 1), nn.ReLU(), nn.Flatten(),
            nn.Linear(48 * 64, 96), nn.ReLU(), nn.Linear(96, 10),
        )  # fmt: skip

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        told: torch.Tensor = self.layers(x)  # (B, 1, 32, 32) -> (B, 10)
        return told


def teller(count: int = 20_000) -> tuple[Teller, float]:
    """A network taught on the package's pictures, and its accuracy on the package's own test part."""
    torch.manual_seed(0)
    net = Teller()
    pictures, classes = (torch.from_numpy(part.copy()) for part in read("train"))
    x, y = torch.from_numpy(framed(pictures[:count].numpy()))[:, None].float() / 255, classes[:count].long()
    optimizer = torch.optim.Adam(net.parameters(), 2e-3)
    for _ in range(4):
        for some in torch.randperm(count).split(128):
            F.cross_entropy(net(x[some]), y[some]).backward()
            optimizer.step()
            optimizer.zero_grad()
    unseen, right = read("t10k")
    with torch.no_grad():
        said = net(torch.from_numpy(framed(unseen))[:, None].float() / 255).argmax(1)
    return net, float((said == torch.from_numpy(right.copy())).float().mean())


def spread(drawn: np.ndarray) -> dict[str, Any]:
    """How drawings spread over the ten classes: shares, how many have 1 % at least, how far they are from equal."""
    net, accuracy = teller()
    grey = torch.from_numpy(efficientnet_lite0.on_white(drawn).mean(-1)).float()[:, None] / 255
    with torch.no_grad():
        said = net(grey).argmax(1).numpy()
    shares = np.bincount(said, minlength=10) / len(said)
    return {
        "shares": [round(float(share), 4) for share in shares],
        "classes_with_1_percent": int((shares >= 0.01).sum()),
        "total_variation_to_even": round(float(np.abs(shares - 0.1).sum() / 2), 4),
        "classifier_accuracy": round(accuracy, 4),
    }


def sheet(drawn: np.ndarray, target: Path, across: int = 10) -> None:
    """Drawings on white, twice as large, in rows."""
    white = efficientnet_lite0.on_white(drawn)
    side = white.shape[1]
    whole = white.reshape(-1, across, side, side, 3).transpose(0, 2, 1, 3, 4).reshape(-1, across * side, 3)
    large = Image.fromarray(whole).resize((2 * whole.shape[1], 2 * whole.shape[0]), Image.Resampling.NEAREST)
    large.quantize(128).save(target, optimize=True)


def main() -> None:
    """Train, draw, measure, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("studio", type=Path)
    parser.add_argument("dataset")
    parser.add_argument("--recipe", choices=RECIPES, required=True)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--untold", action="store_true", help="say nothing to the network, and measure the classes")
    parser.add_argument("--options", type=json.loads, default={}, help="of the recipe, as JSON")
    parser.add_argument("--n", type=int, default=500)
    asked = parser.parse_args()
    asked.out.mkdir(parents=True, exist_ok=True)
    name, recipe = f"{asked.dataset}-{asked.recipe}", RECIPES[asked.recipe]
    wanted = (UNTOLD[asked.recipe] if asked.untold else {}) | asked.options
    material = material_of(asked.studio, asked.dataset, 32)
    start = time.process_time()
    options = sized(recipe, recipe.Options(size=32, **wanted), material, 60 * asked.minutes)
    learner = Learner.fresh(recipe, options, machine())
    with (asked.out / f"{name}.jsonl").open("w") as log:
        for step in train(learner, material):
            line = {"samples": step.samples_seen, "cpu": round(time.process_time() - start, 1), "loss": step.loss}
            line |= {"parts": step.parts, "held_out": step.held_out, "said": step.said}
            log.write(json.dumps(line) + "\n")
            log.flush()
    seconds = time.process_time() - start
    rows = np.resize(material.held_out, asked.n)
    drawn = draw(learner, material, rows, told=not asked.untold)
    real = material.pictures[material.held_out]
    seen = material.pictures[np.random.default_rng(0).permutation(material.train)[: len(real)]]
    features = [efficientnet_lite0.encode(some) for some in (drawn, seen, real)]
    nearness = measure(material, np.concatenate([drawn, drawn]))
    found = {
        "dataset": asked.dataset, "recipe": asked.recipe, "cpu_seconds": round(seconds, 1), "samples": options.samples,
        "rounds": round(options.samples / len(material.train), 1), "drawn": len(drawn), "held_out": len(real),
        "parameters": sum(weight.numel() for weight in learner.drawer.parameters()),
        "kernel_distance": round(discrepancy(features[0], features[2]), 3),
        "kernel_distance_of_training_pictures": round(discrepancy(features[1], features[2]), 3),
        **covered(features[0], features[2]),
        "of_training_pictures": covered(features[1], features[2]),
        "nearness": round(nearness.ratio, 3) if nearness else None,
        "options": options.model_dump(), **(spread(drawn) if asked.untold else {}),
    }  # fmt: skip
    (asked.out / f"{name}.json").write_text(json.dumps(found, indent=1))
    sheet(drawn[:60], asked.out / f"{name}.png")
    print(json.dumps({key: value for key, value in found.items() if key != "options"}))


if __name__ == "__main__":
    main()
