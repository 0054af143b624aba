"""How often a thing may be asked for by one person or from one address, kept in memory alone."""

import threading
import time
from collections.abc import Callable

from sfumato.web.problems import TooOften

LARGEST = 20_000  # persons and addresses that are remembered; those who have been quiet longest are forgotten


class Limits:
    """A bucket of turns for each kind of thing and each who; it fills again while time goes by."""

    def __init__(self, rates: dict[str, tuple[int, float]], *, clock: Callable[[], float] = time.monotonic) -> None:
        self.rates = rates
        self.clock = clock
        self._buckets: dict[tuple[str, str], tuple[float, float]] = {}
        self._lock = threading.Lock()

    def take(self, what: str, who: str) -> None:
        """Take one turn; raises TooOften, which says when the next one is there."""
        room, a_minute = self.rates[what]
        moment = self.clock()
        with self._lock:
            left, seen = self._buckets.pop((what, who), (float(room), moment))
            left = min(float(room), left + (moment - seen) * a_minute / 60)
            taken = left >= 1
            self._buckets[what, who] = (left - 1 if taken else left, moment)
            while len(self._buckets) > LARGEST:
                del self._buckets[next(iter(self._buckets))]
        if not taken:
            raise TooOften(
                f"That was asked for too often: {a_minute:g} times a minute are taken.", (1 - left) * 60 / a_minute
            )
