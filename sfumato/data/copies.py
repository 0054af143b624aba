"""Finding copies: pictures whose hashes are near, each pair looked at twice, put into groups with a best picture."""

from collections import defaultdict
from collections.abc import Generator
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
BESIDE = 50  # pictures of one and the same hash that each of them is compared with


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
    wanted: set[tuple[int, int]] = set()
    for found in _candidates(table, options):
        wanted |= found
        yield None

    @lru_cache(maxsize=4_096)
    def small(place: int) -> Small | None:
        try:
            return table.small(table.sha256[place])
        except Unusable:
            return None

    pairs: list[Pair] = []
    for number, (one, other) in enumerate(sorted(wanted), 1):
        # In an order of their own, so that the same two pictures are always found to be as much alike.
        left, right = (small(place) for place in sorted((one, other), key=lambda place: table.sha256[place]))
        alike = compare(left, right, how) if left is not None and right is not None else None
        if alike is not None:
            pairs.append(Pair(one, other, alike))
        yield number / len(wanted)
    return pairs


def _candidates(table: Table, options: Options) -> Generator[set[tuple[int, int]], None, None]:
    """Pairs of places that are worth a second look, by one hash after the other."""
    places = unlike(table)
    more = table.more_hashes[places]
    for hashes in (table.dhash[places], table.phash[places]):
        values, inverse = np.unique(hashes, return_inverse=True)
        one, other, _ = pairs_within(values, options.radius)
        yield _spread(places, inverse, one, other, same=True)
    sets = [*range(1)] * options.mirrored
    sets += [*range(appearance.CROPPED.start, appearance.CROPPED.stop)] * options.cropped
    sets += [*range(appearance.TURNED.start, appearance.TURNED.stop)] * options.turned
    plain, inverse = np.unique(table.dhash[places], return_inverse=True)
    for number in sets:
        changed, changed_inverse = np.unique(more[:, number], return_inverse=True)
        one, other, _ = pairs_within(changed, min(options.radius, 8) if number else options.radius, plain)
        yield _spread(places, changed_inverse, one, other, other_inverse=inverse)


def _spread(
    places: np.ndarray, inverse: np.ndarray, one: np.ndarray, other: np.ndarray, *,
    other_inverse: np.ndarray | None = None, same: bool = False,
) -> set[tuple[int, int]]:  # fmt: skip
    """Pairs of hashes as pairs of pictures; where very many have one hash, each is put beside some of them."""
    holders = _holders(inverse)
    others = holders if other_inverse is None else _holders(other_inverse)
    found: set[tuple[int, int]] = set()
    for left, right in zip(one.tolist(), other.tolist(), strict=True):
        for first in holders[left][:BESIDE]:
            found |= {_ordered(places, first, second) for second in others[right][:BESIDE] if first != second}
    if same:
        for group in holders.values():
            for place, first in enumerate(group):
                found |= {_ordered(places, first, second) for second in group[place + 1 : place + 1 + BESIDE]}
    return found


def _holders(inverse: np.ndarray) -> dict[int, list[int]]:
    found: dict[int, list[int]] = defaultdict(list)
    for place, value in enumerate(inverse.tolist()):
        found[value].append(place)
    return found


def _ordered(places: np.ndarray, one: int, other: int) -> tuple[int, int]:
    first, second = int(places[one]), int(places[other])
    return (first, second) if first < second else (second, first)


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
