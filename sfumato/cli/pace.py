"""How fast a job goes and when it will be done, said only as exactly as it is known."""

from collections import deque

WINDOW = 60.0  # seconds that the rate looks back
LEAST = 3.0  # seconds before a rate means anything


class Pace:
    """A rate over the last minute of (time, done) sightings."""

    def __init__(self) -> None:
        self.seen: deque[tuple[float, float]] = deque()

    def add(self, now: float, done: float) -> None:
        """Note how much is done at a time in seconds; going back (a new attempt) starts afresh."""
        if self.seen and done < self.seen[-1][1]:
            self.seen.clear()
        self.seen.append((now, done))
        while self.seen[-1][0] - self.seen[0][0] > WINDOW and len(self.seen) > 2:
            self.seen.popleft()

    def rate(self) -> float | None:
        """Return units per second, or None before it is known."""
        if not self.seen:
            return None
        (first, before), (last, after) = self.seen[0], self.seen[-1]
        return (after - before) / (last - first) if last - first >= LEAST and after > before else None

    def left(self, total: float | None) -> float | None:
        """Return the seconds left until the total, or None when they are not known."""
        rate = self.rate()
        return max(0.0, (total - self.seen[-1][1]) / rate) if rate and total else None


def duration(seconds: float | None) -> str:
    """Say a duration in the precision that an estimate deserves."""
    if seconds is None:
        return "time left not known yet"
    if seconds < 10:
        return "a few seconds left"
    if seconds < 90:
        return f"about {round(seconds / 10) * 10} s left"
    if seconds < 90 * 60:
        return f"about {round(seconds / 60)} min left"
    return f"about {seconds / 3600:.1f} h left"
