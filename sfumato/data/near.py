"""Near copies: pairs of 64-bit hashes that differ in few bits, and groups of things by pairs."""

from collections.abc import Iterator
from functools import cache
from itertools import combinations, product

import numpy as np

BANDS = 4
CHUNK = 200_000  # pairs that are compared at once
BLOCK = 100_000  # hashes that are looked up at once
SHUFFLED = np.random.default_rng(0).permutation(64)  # neighbouring bits are alike: a band takes them from all over


def pairs_within(
    hashes: np.ndarray, radius: int, others: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:  # fmt: skip
    """All pairs that differ in at most `radius` bits, as places and distance; each pair once among `hashes` alone.

    A pair that differs in so few bits differs in very few of one of four bands, so only those are compared.
    """
    mine = _shuffled(np.asarray(hashes, np.uint64))
    theirs = mine if others is None else _shuffled(np.asarray(others, np.uint64))
    found: list[np.ndarray] = []
    for band, most in enumerate(_shares(radius)):
        shift = np.uint64(16 * band)
        left = (mine >> shift).astype(np.uint16)
        right = left if others is None else (theirs >> shift).astype(np.uint16)
        by_left, by_right = (np.argsort(one, kind="stable").astype(np.int32) for one in (left, right))
        ours, sorted_hashes = left[by_left], theirs[by_right]
        starts = np.searchsorted(right[by_right], np.arange(65_537))
        for mask, begin in product(_masks(most), range(0, len(mine), BLOCK)):
            places, bucket = (one[begin : begin + BLOCK].astype(np.int64) for one in (by_left, ours))
            if mask and others is None:
                some = np.flatnonzero((bucket >> (mask.bit_length() - 1)) & 1 == 0)
                places, bucket = places[some], bucket[some]
            bucket ^= mask
            for first, second in _expanded(starts[bucket], starts[bucket + 1]):
                one = places[first]
                apart = np.bitwise_count(mine[one] ^ sorted_hashes[second])
                near = np.flatnonzero(apart <= radius)
                if not mask and others is None:
                    near = near[one[near] < by_right[second[near]]]
                if len(near):
                    found.append(np.stack([one[near], by_right[second[near]], apart[near]]).astype(np.int64))
    return _once(found, others is None)


def _once(found: list[np.ndarray], alone: bool) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    if not found:
        empty = np.zeros(0, np.int64)
        return empty, empty, empty
    one, other, apart = np.concatenate(found, axis=1)
    if alone:
        one, other = np.minimum(one, other), np.maximum(one, other)
        kept = one < other
        one, other, apart = one[kept], other[kept], apart[kept]
    order = np.lexsort((other, one))
    one, other, apart = one[order], other[order], apart[order]
    fresh = np.ones(len(one), bool)
    fresh[1:] = (one[1:] != one[:-1]) | (other[1:] != other[:-1])
    return one[fresh], other[fresh], apart[fresh]


def _shares(radius: int) -> list[int]:
    """How many bits may differ in each band: if all bands differed in more, all of it would in more than `radius`."""
    whole = max(radius + 1 - BANDS, -BANDS)
    return [max(-1, (whole + BANDS - 1 - band) // BANDS) for band in range(BANDS)]


@cache
def _masks(most: int) -> tuple[int, ...]:
    """All ways to differ in at most so many of 16 bits."""
    if most < 0:
        return ()
    chosen = (bits for n in range(most + 1) for bits in combinations(range(16), n))
    return tuple(sum(1 << bit for bit in bits) for bits in chosen)


def _shuffled(hashes: np.ndarray) -> np.ndarray:
    found = np.empty((len(hashes), 8), np.uint8)
    for start in range(0, len(hashes), BLOCK):
        some = np.ascontiguousarray(hashes[start : start + BLOCK]).view(np.uint8).reshape(-1, 8)
        found[start : start + BLOCK] = np.packbits(np.unpackbits(some, axis=1)[:, SHUFFLED], axis=1)
    return found.view(np.uint64).ravel()


def _expanded(low: np.ndarray, high: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Each place with each number of its stretch, at most about CHUNK at a time."""
    counts = high - low
    held = np.flatnonzero(counts)
    if not len(held):
        return
    low, counts = low[held], counts[held]
    ends = counts.cumsum()
    begin = 0
    while begin < len(held):
        done = int(ends[begin - 1]) if begin else 0
        end = max(begin + 1, int(np.searchsorted(ends, done + CHUNK, side="right")))
        part = counts[begin:end]
        first = np.repeat(held[begin:end], part)
        offset = np.arange(int(part.sum())) - np.repeat(part.cumsum() - part, part)
        yield first, np.repeat(low[begin:end], part) + offset
        begin = end


class Groups:
    """Things that belong together, by pairs."""

    def __init__(self) -> None:
        self.root: dict[int, int] = {}
        self.members: dict[int, list[int]] = {}

    def of(self, place: int) -> int:
        """The first thing of its group."""
        return self.root.get(place, place)

    def join(self, one: int, other: int) -> None:
        """Make one group of both; the smaller number stays the first."""
        first, second = sorted((self.of(one), self.of(other)))
        if first == second:
            return
        joined = self.members.pop(first, [first]) + self.members.pop(second, [second])
        self.members[first] = joined
        for place in joined:
            self.root[place] = first

    def __iter__(self) -> Iterator[list[int]]:
        for first in sorted(self.members):
            yield sorted(self.members[first])
