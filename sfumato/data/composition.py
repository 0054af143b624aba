"""What a dataset is made of, measured: counts, sizes, captions, licences, sources, groups and what is missing."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from sfumato.statistics.balance import share_intervals
from sfumato.statistics.intervals import Interval

MOST = 12  # values that are named, of one kind


@dataclass
class Composition:
    """Counts of a dataset's pictures, or of those of a version or a slice."""

    n: int = 0
    captions: int = 0
    caption_words: list[int] = field(default_factory=list)
    contents: Counter[str] = field(default_factory=Counter)
    by: dict[str, Counter[str]] = field(default_factory=dict)
    attributes: dict[str, Counter[str]] = field(default_factory=dict)
    families: Counter[str] = field(default_factory=Counter)
    sizes: list[tuple[int, int]] = field(default_factory=list)
    sources: Counter[tuple[str, str, str, str]] = field(default_factory=Counter)
    tagged: int = 0

    def intervals(self, attribute: str) -> dict[str, Interval]:
        """The shares of an attribute among the pictures that declare it, with intervals that hold together."""
        return share_intervals(self.attributes[attribute])

    @property
    def copies(self) -> int:
        """How many pictures have the very bytes of another one."""
        return self.n - len(self.contents)


COUNTED = ("style", "category", "concept", "licence", "author", "split", "consent", "opt_out")


def compose(rows: Iterable[Mapping[str, Any]]) -> Composition:
    """Count rows of a dataset, or lines of a version: those that have no such column count as not told."""
    found = Composition(by={name: Counter() for name in COUNTED})
    for row in rows:
        found.n += 1
        text = str(row.get("name") or row.get("text") or "")
        found.captions += bool(text)
        found.caption_words.append(len(text.split()))
        found.contents[row["sha256"]] += 1
        licence = row.get("licence") or row.get("license") or "NOASSERTION"
        for name in COUNTED:
            found.by[name][licence if name == "licence" else str(row.get(name) or "")] += 1
        found.sources[row["source"], row.get("source_version") or "", licence, row.get("author") or ""] += 1
        found.families[row.get("family") or ""] += 1
        found.tagged += bool(row.get("tags"))
        if row.get("width") and row.get("height"):
            found.sizes.append((row["width"], row["height"]))
        for name, said in (row.get("attributes") or {}).items():
            found.attributes.setdefault(name, Counter())[str(said)] += 1
    return found


def shares_in_words(intervals: Mapping[str, Interval]) -> str:
    """Shares as people say them, the largest first: "light 62 % (58 to 66), dark 12 % (10 to 14)"."""
    ranked = sorted(intervals.items(), key=lambda one: -one[1].value)
    said = [f"{name or 'none'} {one.value:.0%} ({one.low * 100:.0f} to {one.high * 100:.0f})" for name, one in ranked]
    return ", ".join(said[:MOST]) + (f" and {len(said) - MOST} more" if len(said) > MOST else "")


def counts_in_words(counts: Mapping[str, int], unnamed: str = "none") -> str:
    """Counts as people say them, the largest first, not more than a dozen of them."""
    ranked = sorted(counts.items(), key=lambda one: (-one[1], one[0]))
    said = [f"{n:,} {name or unnamed}" for name, n in ranked[:MOST]]
    rest = sum(n for _, n in ranked[MOST:])
    return ", ".join(said) + (f", and {rest:,} of {len(ranked) - MOST:,} more kinds" if rest else "")


def sizes_in_words(sizes: list[tuple[int, int]]) -> str:
    """The middle size, and between which sizes nine out of ten lie."""
    if not sizes:
        return "Their sizes are not known."
    low, middle, high = np.percentile(np.array([max(one) for one in sizes]), [5, 50, 95])
    if len(set(sizes)) == 1:
        return f"Each has {sizes[0][0]:,} × {sizes[0][1]:,} pixels."
    between = f"nine of ten lie between {low:,.0f} and {high:,.0f}"
    return f"The longer side has {middle:,.0f} pixels in the middle; {between}."
