"""`sfumato worker`: does the work that others have asked for."""

import signal
import threading
from typing import Annotated, Literal

import typer

from sfumato.cli.speech import answer, opened

app = typer.Typer(add_completion=False)


@app.command()
def worker(
    context: typer.Context,
    job: Annotated[str | None, typer.Option(metavar="JOB", help="Do this job alone, then leave.")] = None,
    lane: Annotated[
        Literal["quick", "desk", "long"] | None,
        typer.Option(help="Only this lane: drawing, what takes minutes, or training; all if not said."),
    ] = None,
) -> None:
    """Work jobs off until told to stop: Ctrl-C lets the present step finish.

    A command that waits for its job starts a worker for itself, so you need this only to have work done
    while nobody waits, or on several machines that share a database.

    Example: `sfumato worker --lane long`
    """
    import logging

    from sfumato.jobs.queue import get_job
    from sfumato.jobs.worker import LANES, run_worker

    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(levelname)s %(message)s")
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    with opened(context) as workspace:
        only = get_job(workspace, job_id=job).id if job else None
        worked = run_worker(workspace, lanes=(lane,) if lane else LANES, only_job=only, stop=stop)
    answer(context, {"jobs": worked}, lambda: f"Worked off {worked} job{'' if worked == 1 else 's'}.")
