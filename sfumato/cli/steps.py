"""Work that is done in this very process, step by step, with the same bar as a job has."""

from collections.abc import Generator
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, TypeVar, cast

import typer

from sfumato.cli.following import shown

if TYPE_CHECKING:
    from sfumato.jobs import JobView, Progress

R = TypeVar("R")


def work_off(context: typer.Context, title: str, steps: "Generator[Progress, None, R]") -> R:
    """Drive steps to their end with their progress on stderr, and return what they return.

    What was opened is closed again when somebody presses Ctrl-C, so that nothing half-done stays.
    """
    state: Any = SimpleNamespace(kind=title, progress={}, status="running")
    with shown(context, cast("JobView", state)) as see:
        try:
            while True:
                step = next(steps)
                state.progress = {"done": step.done, "total": step.total, "unit": step.unit, "say": step.say}
                see(state)
        except StopIteration as finished:
            result: R = finished.value
            return result
        finally:
            steps.close()
