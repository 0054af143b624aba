"""One attempt of one job in a process of its own.

python -m sfumato.jobs.child --workspace DIR --job ID --attempt N
"""

import argparse
import logging
from pathlib import Path

from sqlalchemy import select

from sfumato.actions import Actor, Workspace
from sfumato.jobs.records import Job
from sfumato.jobs.run import LEASE, run_attempt


def main() -> None:
    """Run the attempt as the person who asked for it; the lease is renewed from here."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--workspace", type=Path, required=True)
    parser.add_argument("--job", required=True)
    parser.add_argument("--attempt", type=int, required=True)
    parser.add_argument("--lease", type=float, default=LEASE)
    given = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(levelname)s %(message)s")
    with Workspace.open(given.workspace, create=False) as workspace:
        with workspace.db.read() as session:
            asked_by, roles = session.execute(select(Job.made_by, Job.roles).where(Job.id == given.job)).one()
        person = Actor(asked_by, asked_by.removeprefix("person/"), tuple(roles))
        run_attempt(workspace.as_actor(person), given.job, given.attempt, lease=given.lease)


if __name__ == "__main__":
    main()
