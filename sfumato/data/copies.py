"""Finding copies: pictures whose hashes are near, each pair looked at twice, put into groups with a best picture."""

from collections.abc import Generator, Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from sfumato.data import appearance
from sfumato.data.near import Groups, pairs_within
from sfumato.data.packed import alike
from sfumato.data.pictures import Unusable
from sfumato.data.scan import Table
from sfumato.data.second_look import CROPPED, MIRRORED, TURNED, Alike, Small, compare

Work = Generator[float | None, None, Any]
SEEN = 1_024  # pictures that are held for a second look, some 60 kB each
BESIDE = 50  # pictures of one and the same hash that each of them is compared with
CHUNK = 200_000  # pairs that are made at once
HALF, LOWER = np.uint64(32), np.uint64(2**32 - 1)


class Options(BaseModel):
    """What counts as a near copy."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    radius: int = Field(10, ge=0, le=16, description="bits of 64 in which hashes may differ for a second look")
    mirrored: bool = Field(True, description="whether a mirror image counts")
    cropped: bool = Field(True, description="whether a part of a picture counts")
    turned: bool = Field(True, description="whether a picture turned by a quarter counts")


@dataclass(frozen=True)
class Pair:
    """Two pictures by their places in the table, that are the same in some way."""

    one: int
    other: int
    alike: Alike


def unlike(table: Table) -> np.ndarray:
    """Places of pictures, one for each content, that can be told apart: neither flat nor unreadable."""
    told = np.flatnonzero(table.readable & ~table.is_flat)
    order, starts = alike(table.pixels.values[told])
    return np.sort(told[order[starts]])


def find_pairs(table: Table, options: Options) -> Work:
    """All pairs of near copies, as a list; yields how far it is, and remembers them for who asks next."""
    key = options.model_dump_json()
    if key not in table.memory:
        table.memory[key] = yield from _find_pairs(table, options)
    return table.memory[key]


def _find_pairs(table: Table, options: Options) -> Work:
    how = tuple(
        word for word, wanted in
        ((MIRRORED, options.mirrored), (CROPPED, options.cropped), (TURNED, options.turned)) if wanted
    )  # fmt: skip
    wanted = np.zeros(0, np.uint64)
    for found in _candidates(table, options):
        wanted = np.union1d(wanted, found)
        yield None

    @lru_cache(maxsize=SEEN)
    def small(place: int) -> Small | None:
        try:
            return table.small(table.sha256[place])
        except Unusable:
            return None

    pairs: list[Pair] = []
    for number, (one, other) in enumerate(_unpacked(wanted), 1):
        # In an order of their own, so that the same two pictures are always found to be as much alike.
        left, right = (small(place) for place in sorted((one, other), key=lambda place: table.sha256[place]))
        alike = compare(left, right, how) if left is not None and right is not None else None
        if alike is not None:
            pairs.append(Pair(one, other, alike))
        yield number / len(wanted)
    return pairs


def _candidates(table: Table, options: Options) -> Generator[np.ndarray, None, None]:
    """Pairs of places that are worth a second look, by one hash after the other: (n) uint64 as of `_packed`, sorted."""
    places = unlike(table)
    for hashes in (table.dhash[places], table.phash[places]):
        values, inverse = np.unique(hashes, return_inverse=True)
        held = Holders.of(places, inverse)
        one, other, _ = pairs_within(values, options.radius)
        yield _merged([*_spread(held, held, one, other), *_neighbours(held)])
    sets = [*range(1)] * options.mirrored
    sets += [*range(appearance.CROPPED.start, appearance.CROPPED.stop)] * options.cropped
    sets += [*range(appearance.TURNED.start, appearance.TURNED.stop)] * options.turned
    plain, inverse = np.unique(table.dhash[places], return_inverse=True)
    held = Holders.of(places, inverse)
    for number in sets:
        changed, changed_inverse = np.unique(table.more_hashes[places, number], return_inverse=True)
        one, other, _ = pairs_within(changed, min(options.radius, 8) if number else options.radius, plain)
        yield _merged(_spread(Holders.of(places, changed_inverse), held, one, other))


@dataclass(frozen=True)
class Holders:
    """Which pictures have each of some hashes, those of one after those of the other."""

    places: np.ndarray  # (n) of the table
    starts: np.ndarray  # (hashes) where those of each begin
    counts: np.ndarray  # (hashes) how many have it

    @classmethod
    def of(cls, places: np.ndarray, inverse: np.ndarray) -> "Holders":
        """From the number of each picture's hash."""
        counts = np.bincount(inverse)
        return cls(places[np.argsort(inverse, kind="stable")], counts.cumsum() - counts, counts)


def _spread(held: Holders, others: Holders, one: np.ndarray, other: np.ndarray) -> Iterator[np.ndarray]:
    """Pairs of hashes as pairs of pictures; where very many have one hash, some of them are put beside some."""
    wide, high = np.minimum(held.counts[one], BESIDE), np.minimum(others.counts[other], BESIDE)
    n = wide * high
    for some in np.split(np.arange(len(n)), np.flatnonzero(np.diff(n.cumsum() // CHUNK)) + 1):
        pair = np.repeat(some, n[some])
        inside = np.arange(len(pair)) - np.repeat(n[some].cumsum() - n[some], n[some])
        first = held.places[held.starts[one[pair]] + inside // high[pair]]
        second = others.places[others.starts[other[pair]] + inside % high[pair]]
        yield _packed(first, second)


def _neighbours(held: Holders) -> Iterator[np.ndarray]:
    """Pictures that have the same hash: each with some of those that follow it."""
    ends = np.repeat(held.starts + held.counts, held.counts)
    for step in range(1, min(BESIDE + 1, int(held.counts.max(initial=0)))):
        first = np.flatnonzero(np.arange(len(ends)) + step < ends)
        yield _packed(held.places[first], held.places[first + step])


def _packed(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Pairs of places as numbers, the smaller place in the upper half; each once, in their order."""
    low, high = np.minimum(one, other).astype(np.uint64), np.maximum(one, other).astype(np.uint64)
    return np.unique((low << HALF | high)[low < high])


def _unpacked(pairs: np.ndarray) -> Iterator[tuple[int, int]]:
    """Pairs of places, one after the other."""
    for start in range(0, len(pairs), CHUNK):
        some = pairs[start : start + CHUNK]
        yield from zip((some >> HALF).tolist(), (some & LOWER).tolist(), strict=True)


def _merged(parts: Iterable[np.ndarray]) -> np.ndarray:
    """All pairs of some parts, each once."""
    whole = np.zeros(0, np.uint64)
    for part in parts:
        whole = np.union1d(whole, part)
    return whole


def group_pairs(pairs: list[Pair]) -> tuple[list[list[int]], list[Pair]]:
    """Groups of places in which each picture is like the group's first one, and the pairs that fit into none.

    So no chain of small steps makes one group of pictures that have nothing in common.
    """
    known = {(pair.one, pair.other) for pair in pairs}
    groups, loose = Groups(), []
    for pair in sorted(pairs, key=lambda pair: (-pair.alike.score, pair.one, pair.other)):
        first, second = sorted((groups.of(pair.one), groups.of(pair.other)))
        members = groups.members.get(second, [second])
        if first == second or all((first, member) in known for member in members):
            groups.join(pair.one, pair.other)
        else:
            loose.append(pair)
    return list(groups), loose


def best_of(table: Table, group: list[int]) -> int:
    """The picture to keep: the one with most pixels, then the sharpest, then the oldest."""
    return max(group, key=lambda place: (table.width[place] * table.height[place], table.sharpness[place], -place))
