"""What is slow to count is kept for a while: anew when something has happened, yet never more than 1 % of the time."""

import threading
import time
from collections.abc import Callable, Hashable
from typing import Any, TypeVar

from sfumato.actions import Workspace
from sfumato.actions.events import last_position

Counted = TypeVar("Counted")
FRESH = 5.0  # seconds that a count is used again while no event was written: jobs add rows without one
SLOW = 0.02  # seconds from which a count is slow
MOST = 5_000
_kept: dict[Hashable, tuple[int, float, float, Any]] = {}
_lock = threading.Lock()


def kept(workspace: Workspace, name: Hashable, count: Callable[[], Counted]) -> Counted:
    """What `count` gives, or gave a moment ago to the same person in the same project."""
    key = (str(workspace.path), workspace.project, workspace.actor.id, name)
    position, moment = last_position(workspace), time.monotonic()
    seen, at, cost, found = _kept.get(key, (-1, 0.0, 0.0, None))
    lasts = max(100 * cost if cost > SLOW else 0.0, FRESH if seen == position else 0.0)
    if at and moment - at < lasts:
        return found  # type: ignore[no-any-return]
    fresh = count()
    with _lock:
        if len(_kept) >= MOST:
            _kept.clear()
        _kept[key] = (position, moment, time.monotonic() - moment, fresh)
    return fresh
