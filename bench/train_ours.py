"""Our side of the training benchmark: the real loop, recipe, pictures in memory, on the probe's choices.

`--without` takes one thing away, to tell what each of them brings.
"""

from collections.abc import Iterator
from typing import Any

import torch
from pictures import arguments, export_pngs, load
from train_plain import endless, with_noise
from turns import repeat, serve

from sfumato.actions import Workspace
from sfumato.training.loop import Learner, take_step, train
from sfumato.training.machine import Machine, apply, probe
from sfumato.training.material import Material
from sfumato.training.recipes import flow

FOR_EVER = 10**12
WITHOUT = ("bf16", "attention", "kept", "muon")


def what_is_fastest(options: flow.Options, material: Material, tries: int) -> Machine:
    """The probe of a run's start, on the same step: the real batch, a learner that is thrown away."""
    given = flow.batch(options, material, 0)
    trier = Learner.fresh(flow, options, Machine())

    def trial(choice: Machine) -> None:
        trier.machine = choice
        apply(choice, trier.net)
        take_step(trier, given)

    return probe(trial, options.batch, tries)


def from_files(learner: Learner, batches: Iterator[dict[str, Any]]) -> Iterator[float]:
    """Our step on batches that are opened from files each time, as the plain loop does."""
    while True:
        given = {name: values for name, values in next(batches).items() if name != "texts"}
        yield take_step(learner, with_noise(given, learner.options))
        learner.samples_seen += learner.options.batch
        learner.steps += 1
        for average in learner.averages.values():
            average.update(learner.net, learner.steps)


def main() -> None:
    """Train by turns until there are no more."""
    parser = arguments()
    parser.add_argument("--machine", help="choices of an earlier probe, as JSON")
    parser.add_argument("--tries", type=int, default=3, help="rounds of the probe")
    parser.add_argument("--without", choices=WITHOUT, help="take one thing away")
    given = parser.parse_args()
    with Workspace.open(given.workspace) as workspace:
        options = flow.Options.model_validate_json(given.options).model_copy(
            update={"samples": FOR_EVER, "checkpoint_every": FOR_EVER, "preview_every": FOR_EVER}
        )
        material = load(workspace, given.data, options.size)
        machine = (
            Machine.model_validate_json(given.machine)
            if given.machine
            else what_is_fastest(options, material, given.tries)
        )
        changed: dict[str, Any] = {
            "bf16": {"bf16": False}, "attention": {"fused_attention": not machine.fused_attention}
        }.get(given.without or "", {})  # fmt: skip
        if given.without == "muon":
            options = options.model_copy(update={"optimizer": "adamw"})
        learner = Learner.fresh(flow, options, machine.model_copy(update=changed))
        steps: Iterator[object] = train(learner, material)
        if given.without == "kept":
            paths = export_pngs(workspace, given.data)
            steps = from_files(learner, endless(paths, material, options))
        about = {
            "batch": options.batch, "machine": machine.model_dump(), "threads": torch.get_num_threads(),
            "parameters": sum(weight.numel() for weight in learner.net.parameters()), "pictures": len(material.train),
        }  # fmt: skip
        serve(about, lambda asked: repeat(lambda: next(steps), asked))


if __name__ == "__main__":
    main()
