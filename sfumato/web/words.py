"""How pages say numbers, times and counts; the filters of the templates."""

import math
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

from sfumato.checkpoints.averages import average_in_words

MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
SIZES = ("bytes", "kB", "MB", "GB", "TB")
SPANS = ((86_400, "day"), (3_600, "hour"), (60, "minute"))
NOTHING = "–"


class Bounded(Protocol):
    """What an interval has, as `sfumato.statistics.intervals` makes it."""

    value: float
    low: float
    high: float
    n: int


def number(value: float | None, digits: int = 3) -> str:
    """Write a number with thousands apart; a fraction keeps so many figures that count: 12,904 or 0.0123."""
    if value is None or (isinstance(value, float) and not math.isfinite(value)):
        return NOTHING
    if isinstance(value, int) or float(value).is_integer():
        return f"{int(value):,}"
    whole = len(str(int(abs(value)))) if abs(value) >= 1 else -math.floor(math.log10(abs(value))) - 1
    places = max(digits - whole, 1) if abs(value) >= 1 else whole + digits
    return f"{value:,.{min(places, 8)}f}"


def interval(found: Bounded | None, unit: str = "") -> str:
    """Say a value with its interval and n: "12.1 ± 0.4, n = 5,000", or "77 % (62–88 %), n = 40" for a share."""
    if found is None or found.n == 0 or not math.isfinite(found.value):
        return "not enough data"
    n = f"n = {found.n:,}"
    if unit == "%":
        value, low, high = (f"{100 * one:.0f}" for one in (found.value, found.low, found.high))
        return f"{value} % ({low}–{high} %), {n}"
    below, above = found.value - found.low, found.high - found.value
    places = _places(max(below, above))
    tail = f" {unit}" if unit else ""
    if abs(below - above) <= 0.15 * max(below, above, 1e-12):
        return f"{found.value:,.{places}f} ± {(below + above) / 2:,.{places}f}{tail}, {n}"
    return f"{found.value:,.{places}f} ({found.low:,.{places}f}–{found.high:,.{places}f}){tail}, {n}"


def _places(half: float) -> int:
    """How many decimals an interval of this half width deserves: one figure of it counts."""
    if half <= 0 or not math.isfinite(half):
        return 2
    return min(max(-math.floor(math.log10(half)), 0), 6)


def ago(when: datetime | None, now: datetime | None = None) -> str:
    """Say how long ago something was, roughly: "just now", "4 minutes ago", "3 days ago", then the date."""
    if when is None:
        return "never"
    seconds = ((now or datetime.now(UTC)) - _aware(when)).total_seconds()
    if seconds < 0:
        return date(when)
    if seconds < 45:
        return "just now"
    if seconds >= 30 * 86_400:
        return date(when)
    size, name = next((span for span in SPANS if seconds >= span[0]), SPANS[-1])
    return f"{plural(max(round(seconds / size), 1), name)} ago"


def date(when: datetime | None, time: bool = False) -> str:
    """Write a date as "24 Nov 2026", with `time` also the hour and minute in UTC."""
    if when is None:
        return NOTHING
    at = _aware(when).astimezone(UTC)
    said = f"{at.day} {MONTHS[at.month - 1]} {at.year}"
    return f"{said}, {at:%H:%M} UTC" if time else said


def stamp(when: datetime) -> str:
    """Write a moment for a machine, as `<time datetime>` wants it."""
    return _aware(when).astimezone(UTC).isoformat(timespec="seconds")


def duration(length: float | timedelta | None) -> str:
    """Say how long: "0.8 s", "42 s", "3 min 20 s", "2 h 5 min", "4 days 3 h"."""
    if length is None:
        return NOTHING
    seconds = length.total_seconds() if isinstance(length, timedelta) else float(length)
    if seconds < 10:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    parts = [(days, "day" if days == 1 else "days"), (hours, "h"), (minutes, "min"), (rest, "s")]
    first = next((place for place, (n, _) in enumerate(parts) if n), 3)
    return " ".join(f"{n} {unit}" for n, unit in parts[first : first + 2] if n)


def size(count: float | None) -> str:
    """Say a number of bytes in decimal steps: "812 bytes", "48 kB", "1.9 GB"."""
    if count is None:
        return NOTHING
    step = 0
    while abs(count) >= 999.5 and step < len(SIZES) - 1:
        count, step = count / 1000, step + 1
    return f"{count:.0f} {SIZES[step]}" if step == 0 or count >= 9.95 else f"{count:.1f} {SIZES[step]}"


def plural(n: int, one: str, many: str = "") -> str:
    """Count things in words: "1 picture", "12,904 pictures"."""
    return f"{n:,} {one if n == 1 else many or one + 's'}"


def short(record_id: str) -> str:
    """The part of an id that people read: its last six characters, as the commands take them."""
    return record_id.rpartition("/")[2][-6:]


def initials(name: str) -> str:
    """Two letters for a person: "Bea Lindqvist" is BL."""
    words = [word for word in name.replace("-", " ").split() if word[0].isalnum()]
    return "".join(word[0] for word in [*words[:1], *words[1:][-1:]]).upper() or "?"


def browser(user_agent: str) -> str:
    """What a browser calls itself, in two words: "Firefox on Linux"."""
    names = (("Edg/", "Edge"), ("OPR/", "Opera"), ("Firefox/", "Firefox"), ("Chrome/", "Chrome"), ("Safari/", "Safari"))
    systems = (
        ("Android", "Android"), ("iPhone", "iPhone"), ("iPad", "iPad"), ("Windows", "Windows"), ("Mac OS", "macOS"),
        ("Linux", "Linux"),
    )  # fmt: skip
    name = next((said for mark, said in names if mark in user_agent), "A browser")
    system = next((said for mark, said in systems if mark in user_agent), "")
    return f"{name} on {system}" if system else name


def tenth(done: float, total: float) -> int:
    """How far something is in tenths, for what sharpens as it goes on; an unknown total is nothing yet."""
    return max(0, min(10, int(10 * done / total))) if total and total > 0 else 0


def _aware(when: datetime) -> datetime:
    return when if when.tzinfo else when.replace(tzinfo=UTC)


FILTERS: dict[str, Callable[..., Any]] = {
    "number": number, "interval": interval, "ago": ago, "date": date, "stamp": stamp, "duration": duration,
    "bytes": size, "plural": plural, "short": short, "initials": initials, "browser": browser, "tenth": tenth,
    "average": average_in_words,
}  # fmt: skip
