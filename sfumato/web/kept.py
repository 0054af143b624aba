"""What is slow to count is kept: it is counted anew beside the request that asks, never more than 5 % of the time.

An answer that was given old counts although something has happened since says so (`is_late`), and is asked for again.
"""

import threading
import time
from collections.abc import Callable, Hashable
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, TypeVar

from sfumato.actions import Workspace
from sfumato.actions.events import last_position
from sfumato.errors import SfumatoError

Counted = TypeVar("Counted")
FRESH = 5.0  # seconds that a count is used again while no event was written
SOON = 0.2  # the same while jobs are at work, which add rows without one; ten times its cost where that is more
SLOW = 0.5  # seconds from which a count is slow; up to there whoever asks waits, and sees what is true now
REST = 20  # times its own cost that a slow count is not made again
MOST = 5_000
OPEN_JOB = "select 1 from job where status in ('waiting', 'running') limit 1"


@dataclass
class Count:
    """What was counted, after which event, when, and how long it took."""

    position: int
    at: float
    cost: float
    found: Any
    moves: bool = False  # jobs were at work, so that it may have changed since
    under_way: bool = False


_kept: dict[Hashable, Count] = {}
_late: ContextVar[bool] = ContextVar("late", default=False)  # each request has a context of its own
_lock = threading.Lock()


def kept(workspace: Workspace, name: Hashable, count: Callable[[], Counted], *, slow: float = SLOW) -> Counted:
    """What `count` gives, or gave a moment ago to the same person in the same project.

    What was slower than `slow` the last time is given as it was, while a thread counts it anew.
    """
    key = (str(workspace.path), workspace.project, workspace.actor.id, name)
    position, moment = last_position(workspace), time.monotonic()
    old = _kept.get(key)
    if old is None:
        return _count(workspace, key, position, count)
    late = old.cost > slow
    fresh = min(FRESH, max(SOON, 10 * old.cost)) if old.moves else FRESH
    if moment - old.at < max(REST * old.cost if late else 0.0, fresh if old.position == position else 0.0):
        _late.set(_late.get() or old.position != position or old.moves)
        return old.found
    if not late:
        return _count(workspace, key, position, count)
    _late.set(True)
    with _lock:
        begins, old.under_way = not old.under_way, True
    if begins:
        threading.Thread(target=_count_aside, args=(workspace, old, key, position, count), daemon=True).start()
    return old.found


def begin_request() -> None:
    """Nothing that is late has been given to this request yet."""
    _late.set(False)


def is_late() -> bool:
    """Whether this request was given a count from before something happened, or one that is being made anew."""
    return _late.get()


def _count_aside(workspace: Workspace, old: Count, key: Hashable, position: int, count: Callable[[], Any]) -> None:
    try:
        _count(workspace, key, position, count)
    except SfumatoError:
        old.under_way = False  # the next one who asks tries again
        with _lock:
            _kept.pop(key, None)


def _count(workspace: Workspace, key: Hashable, position: int, count: Callable[[], Any]) -> Any:
    began, moves = time.monotonic(), workspace.db.value(OPEN_JOB) is not None
    found = count()
    with _lock:
        if len(_kept) >= MOST:
            _kept.clear()
        _kept[key] = Count(position, began, time.monotonic() - began, found, moves)
    return found
