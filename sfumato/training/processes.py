"""Which of several processes this is, where a launcher such as torchrun started the same command several times.

Loads no torch: the doors ask it.
"""

import os
import sys
from dataclasses import dataclass
from typing import NoReturn

from sfumato.actions import Workspace
from sfumato.errors import Unsupported
from sfumato.jobs.worker import child_environment

TOGETHER = "together"  # the lane of runs that the asking command trains itself; no worker serves it
NAMES = ("RANK", "WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT")  # as every launcher for torch sets them


@dataclass(frozen=True)
class Place:
    """The place of a process among those that were started together."""

    rank: int = 0  # 0 ... size - 1; the first one keeps the record
    size: int = 1


def place() -> Place:
    """Where this process stands; alone, unless a launcher says otherwise."""
    rank, size, *address = (os.environ.get(name, "") for name in NAMES)
    if not (rank.isdecimal() and size.isdecimal() and all(address)):
        return Place()
    return Place(int(rank), int(size))


def only_one(what: str) -> None:
    """Raise Unsupported where several processes were started for something that one does."""
    if place().size > 1:
        raise Unsupported(f"{what} works in one process.", hint="Run the command without torchrun.")


def become_partner(workspace: Workspace) -> NoReturn:
    """Go on as one that computes its share of another process's run, in a python whose environment is set for it."""
    environment, folder = child_environment(workspace), str(workspace.path)
    workspace.close()
    os.execve(sys.executable, [sys.executable, "-m", "sfumato.training.partner", "--workspace", folder], environment)
