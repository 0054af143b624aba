"""A process that computes its share of each batch of a run that another process leads, and keeps nothing.

python -m sfumato.training.partner --workspace DIR, started by a launcher such as torchrun
"""

import argparse
import logging
import os
import signal
import sys
from pathlib import Path
from typing import Any, NoReturn

from sfumato import logs
from sfumato.actions import Workspace
from sfumato.data.versions import open_version_by_id
from sfumato.errors import SfumatoError
from sfumato.training import together
from sfumato.training.feeding import load, options_of
from sfumato.training.loop import Learner, align, train
from sfumato.training.machine import Machine
from sfumato.training.material import Material
from sfumato.training.processes import place
from sfumato.training.runs import recipe, show_run
from sfumato.training.together import Team


def take_part(workspace: Workspace, team: Team) -> int:
    """Learn what the first process learns, to its end; returns how many pictures the run has seen."""
    told = team.tell()
    workspace = workspace.in_project(told["project"])
    wanted = show_run(workspace, name=told["run"])
    module, problem, material = recipe(wanted.recipe), None, None
    options: Any = None
    try:
        options = options_of(workspace, module, wanted.options, wanted.parent_sha256)
        version = open_version_by_id(workspace, wanted.version_id)
        material = _loaded(workspace, version, module, options, wanted.parent_sha256)
    except Exception as found:
        problem = found
    team.agree(problem)
    machine = Machine.model_validate(team.tell())
    learner = Learner.fresh(module, options, machine)
    learner.team = team
    align(learner)
    for _ in train(learner, material):
        pass
    return learner.samples_seen


def _loaded(workspace: Workspace, version: Any, module: Any, options: Any, parent: str | None) -> Material:
    steps = load(workspace, version, module, options, parent)
    while True:
        try:
            next(steps)
        except StopIteration as finished:
            material: Material = finished.value
            return material


def main() -> int:
    """Take part in the run that the first process names; once all are there, only that one listens to Ctrl-C."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--workspace", type=Path, required=True)
    given = parser.parse_args()
    logs.to_stderr()
    try:
        team = together.join(place())
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, signal.SIG_IGN)
        with Workspace.open(given.workspace, create=False) as workspace:
            take_part(workspace, team)
    except SfumatoError as problem:
        print(f"{problem.message} {problem.hint}".strip(), file=sys.stderr)
        return problem.code
    finally:
        together.leave()
    return 0


def end(code: int) -> NoReturn:
    """End this process at once: threads of libraries that still wait (gloo's) may abort one that is taken down."""
    logging.shutdown()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


if __name__ == "__main__":
    end(main())
