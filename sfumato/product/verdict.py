"""Whether a criterion holds: a pure function from what is wanted and what is known to one of three states."""

import math
from dataclasses import dataclass
from statistics import NormalDist
from typing import Literal

from sfumato.statistics.intervals import CONFIDENCE, Interval, wilson

State = Literal["holds", "fails", "not enough data"]
APPROVAL = "approval share"


@dataclass(frozen=True)
class Wanted:
    """What must hold: a bound of a measured number's interval on the right side of a threshold, from n_min on."""

    measure: str
    comparator: str
    threshold: float
    bound: str
    n_min: int


@dataclass(frozen=True)
class Verdict:
    """How it stands; `more` says how many more are needed, None where more of the same would not help.

    `settled_at` is the n at which the bound would pass if the measured value stayed as it is.
    """

    state: State
    more: int | None
    settled_at: int | None

TOUCHING = 1e-9  # a margin that no number of pictures could show


def decide(wanted: Wanted, known: Interval | None) -> Verdict:
    """Decide from n_min on: it holds if the bound passes, and fails if the value itself is on the wrong side.

    In between the interval is still too wide to tell, so more data is asked for, and not a worse verdict given.
    """
    if known is None or known.n == 0:
        return Verdict("not enough data", wanted.n_min, None)
    passes = _passes(wanted, {"low": known.low, "high": known.high, "value": known.value}[wanted.bound])
    settled_at = known.n if passes else _settled_at(wanted, known)
    if known.n < wanted.n_min:
        return Verdict("not enough data", max(wanted.n_min, settled_at or 0) - known.n, settled_at)
    if passes:
        return Verdict("holds", 0, known.n)
    if settled_at is None:
        return Verdict("fails", None, None)
    return Verdict("not enough data", settled_at - known.n, settled_at)


def _passes(wanted: Wanted, number: float) -> bool:
    return number >= wanted.threshold if wanted.comparator == "at_least" else number <= wanted.threshold


def _settled_at(wanted: Wanted, known: Interval) -> int | None:
    """The n at which the bound would pass if the value stayed; None if it never would.

    A share's interval is Wilson's, whose bound meets t at n = z² t (1 - t) / (p - t)². Others narrow by the root of n.
    """
    margin = known.value - wanted.threshold if wanted.comparator == "at_least" else wanted.threshold - known.value
    if margin <= TOUCHING or wanted.bound == "value":
        return None
    if wanted.measure != APPROVAL:
        half = abs(known.value - (known.low if wanted.bound == "low" else known.high))
        return max(known.n + 1, math.ceil(known.n * (half / margin) ** 2))
    z = NormalDist().inv_cdf((1 + CONFIDENCE) / 2)
    n = max(known.n + 1, math.ceil(z * z * wanted.threshold * (1 - wanted.threshold) / margin**2 - 1e-9))
    while not _passes(wanted, wilson(known.value, n).low if wanted.bound == "low" else wilson(known.value, n).high):
        n += 1  # what rounding took
    return n
