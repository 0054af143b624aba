"""Our side of the training benchmark: the real loop, recipe, pictures in memory, on the probe's choices.

`--without` takes one thing away, to tell what each of them brings.
"""

import argparse
import time
from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from pictures import arguments, export_pngs, load
from train_plain import draw, endless, with_noise
from untold import in_parts, leg_arguments, parameters, play

from sfumato.actions import Workspace
from sfumato.training.loop import Learner, averaged, take_step, train
from sfumato.training.machine import Machine, apply, probe
from sfumato.training.material import Material
from sfumato.training.recipes import flow, r3gan

RECIPES: dict[str, Any] = {"flow": flow, "r3gan": r3gan}
UNTOLD: dict[str, dict[str, Any]] = {  # nothing is said, leant on or mirrored, so that all sides learn the same
    "flow": {"drop_words": 1.0, "same_concept": 0.0, "near_concept": 0.0, "flip": False},
    "r3gan": {"words": "none", "flip": False},
}
FOR_EVER = 10**12
WITHOUT = ("bf16", "attention", "kept", "muon")
TRIED = 3  # steps that tell how many there will be
SPARE = 0.96  # of what would fit into a leg, so that the rate has fallen to its end


class Side:
    """Our loop as the benchmark asks it: a step at a time, and drawings by the average that runs publish."""

    def __init__(self, learner: Learner, steps: Iterator[object]) -> None:
        self.learner, self.steps = learner, steps

    def step(self) -> object:
        """One step of the loop."""
        return next(self.steps)

    def draw(self, count: int) -> dict[str, np.ndarray]:
        """Pictures by the shorter average, (count, S, S, 4) uint8."""
        options = self.learner.options

        def look(net: Any) -> np.ndarray:
            if self.learner.recipe is flow:
                return draw(net, options.size, count)
            return in_parts(count, lambda some: r3gan.as_pixels(
                net.generator(torch.randn(some, options.latent), torch.zeros(some, 0, 384), torch.zeros(some, 0))
            ))  # fmt: skip

        return {"average": averaged(self.learner, look)}


def what_is_fastest(recipe: Any, options: Any, material: Material, tries: int) -> Machine:
    """The probe of a run's start, on the same step: the real batch, a learner that is thrown away."""
    given = recipe.batch(options, material, 0)
    trier = Learner.fresh(recipe, options, Machine())

    def trial(choice: Machine) -> None:
        trier.machine = choice
        apply(choice, trier.net)
        take_step(trier, given)

    return probe(trial, options.batch, tries)


def sized(recipe: Any, options: Any, machine: Machine, material: Material, seconds: float) -> Any:
    """The options with as many samples as fit into so many processor seconds, by a few steps' measure."""
    began = time.process_time()
    trier = Learner.fresh(recipe, options, machine)
    take_step(trier, recipe.batch(options, material, 0))
    start = time.process_time()
    for turn in range(TRIED):
        take_step(trier, recipe.batch(options, material, turn * options.batch))
    now = time.process_time()
    steps = int(SPARE * (seconds - (now - began)) / (now - start) * TRIED)
    return options.model_copy(update={"samples": max(steps, 4) * options.batch})


def from_files(learner: Learner, batches: Iterator[dict[str, Any]]) -> Iterator[float]:
    """Our step on batches that are opened from files each time, as the plain loop does."""
    while True:
        given = {name: values for name, values in next(batches).items() if name != "texts"}
        yield take_step(learner, with_noise(given, learner.options))
        learner.samples_seen += learner.options.batch
        learner.steps += 1
        for average in learner.averages.values():
            average.update(learner.net, learner.steps)


def choose(given: argparse.Namespace, options: Any, material: Material) -> Machine:
    """The choices of an earlier probe, or those of one that is made now, less what is taken away."""
    machine = (
        Machine.model_validate_json(given.machine)
        if given.machine
        else what_is_fastest(RECIPES[given.recipe], options, material, given.tries)
    )
    changed: dict[str, Any] = {
        "bf16": {"bf16": False}, "attention": {"fused_attention": not machine.fused_attention}
    }.get(given.without or "", {})  # fmt: skip
    return machine.model_copy(update=changed)


def options_of(given: argparse.Namespace) -> Any:
    """The recipe's options for a run that neither ends nor stops to look."""
    changed: dict[str, Any] = {"samples": FOR_EVER, "checkpoint_every": FOR_EVER, "preview_every": FOR_EVER}
    changed |= UNTOLD[given.recipe] if given.untold else {}
    if given.without == "muon":
        changed["optimizer"] = "adamw"
    return RECIPES[given.recipe].Options.model_validate_json(given.options).model_copy(update=changed)


def main() -> None:
    """Take turns, or run a leg."""
    parser = leg_arguments(arguments())
    parser.add_argument("--recipe", choices=RECIPES, default="flow")
    parser.add_argument("--untold", action="store_true", help="say nothing, lean on nothing, and mirror nothing")
    parser.add_argument("--machine", help="choices of an earlier probe, as JSON")
    parser.add_argument("--tries", type=int, default=3, help="rounds of the probe")
    parser.add_argument("--without", choices=WITHOUT, help="take one thing away")
    given = parser.parse_args()
    options = options_of(given)
    with Workspace.open(given.workspace) as workspace:
        material = load(workspace, given.data, options.size, with_words=not given.untold)
        paths = export_pngs(workspace, given.data) if given.without == "kept" else []
    began = time.process_time()
    machine = choose(given, options, material)
    if given.seconds:
        left = given.seconds - (time.process_time() - began)
        options = sized(RECIPES[given.recipe], options, machine, material, left)
    learner = Learner.fresh(RECIPES[given.recipe], options, machine)
    steps: Iterator[object] = train(learner, material)
    if given.without == "kept":
        steps = from_files(learner, endless(paths, material, options))
    about = {
        "batch": options.batch, "machine": learner.machine.model_dump(), "threads": torch.get_num_threads(),
        "parameters": parameters(learner.net), "pictures": len(material.train),
    }  # fmt: skip
    play(Side(learner, steps), about, given, began)


if __name__ == "__main__":
    main()
