"""One attempt of one job in a process of its own.

python -m sfumato.jobs.child --workspace DIR --job ID --attempt N [--parent PROCESS]
"""

import argparse
import os
import signal
import threading
import time
from pathlib import Path

from sqlalchemy import select

from sfumato import logs
from sfumato.actions import Workspace
from sfumato.jobs.records import Job
from sfumato.jobs.run import LEASE, as_asked, run_attempt


def main() -> None:
    """Run the attempt as the person who asked for it; the lease is renewed from here.

    On SIGTERM, on Ctrl-C, or once its worker is gone, it stops after its present step and the job waits again.
    """
    parser = argparse.ArgumentParser()
    parser.add_argument("--workspace", type=Path, required=True)
    parser.add_argument("--job", required=True)
    parser.add_argument("--attempt", type=int, required=True)
    parser.add_argument("--lease", type=float, default=LEASE)
    parser.add_argument("--parent", type=int)
    given = parser.parse_args()
    logs.to_stderr()
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    if given.parent is not None:
        threading.Thread(target=watch, args=(given.parent, stop), daemon=True).start()
    with Workspace.open(given.workspace, create=False) as workspace:
        with workspace.db.read() as session:
            job = session.scalars(select(Job).where(Job.id == given.job)).one()
            asked = as_asked(workspace, job)
        run_attempt(asked, given.job, given.attempt, lease=given.lease, stop=stop)


def watch(parent: int, stop: threading.Event) -> None:
    """Set `stop` once the process that started this one is gone."""
    while os.getppid() == parent:
        time.sleep(0.5)
    stop.set()


if __name__ == "__main__":
    main()
