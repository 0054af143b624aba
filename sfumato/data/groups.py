"""Pictures by what they declare: the groups of an attribute or of several, and what a balance is aimed at."""

import json
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from sfumato.data.collect import find_dataset
from sfumato.data.narrowing import Where, narrow
from sfumato.data.records import KEPT, Dataset, Item
from sfumato.errors import InvalidInput, unknown

COLUMNS = ("style", "category", "source", "licence", "author", "consent")  # what every picture may say of itself
BETWEEN = " / "  # the values of several attributes
MOST_GROUPS = 200
MOST_VALUES = 50  # of an attribute that is told without being named


@dataclass(frozen=True)
class Member:
    """A picture with its weight, its content, and the group that it belongs to; "" where it declares none."""

    id: str
    sha256: str
    weight: float
    group: str
    values: tuple[str, ...]


def declared(session: Session, dataset: Dataset, where: Where) -> list[str]:
    """The names of the attributes that the pictures which are kept declare, but for those that all say otherwise."""
    values: dict[str, set[str]] = defaultdict(set)
    for attributes in session.scalars(narrow(select(Item.attributes), dataset.id, kept(where))):
        for name, value in (attributes or {}).items():
            values[name].add(str(value))
    return sorted(name for name, own in values.items() if len(own) <= MOST_VALUES)


def kept(where: Where) -> Where:
    """The same pictures, without those that were left out unless these are meant."""
    return where if where.state or where.ids is not None else where.model_copy(update={"state": KEPT})


def members(session: Session, dataset: Dataset, attributes: Sequence[str], where: Where) -> list[Member]:
    """The pictures with their groups; raises NotFound for an attribute that none of them declares."""
    columns = [getattr(Item, name) for name in COLUMNS]
    found = narrow(select(Item.id, Item.sha256, Item.weight, Item.attributes, *columns), dataset.id, kept(where))
    rows, seen = [], set()
    for one, sha256, weight, own, *plain in session.execute(found.order_by(Item.id)):
        says = dict(zip(COLUMNS, plain, strict=True)) | {key: str(value) for key, value in (own or {}).items()}
        seen |= {name for name in attributes if says.get(name)}
        values = [says.get(name) or "" for name in attributes]
        rows.append(Member(one, sha256, weight, BETWEEN.join(values) if all(values) else "", tuple(values)))
    for name in attributes:
        if name not in seen:
            raise unknown("attribute", name, [*declared(session, dataset, where), *COLUMNS])
    return rows


def counts_of(found: Sequence[Member]) -> Counter[str]:
    """How many pictures each group has, without those that declare none."""
    counts = Counter(one.group for one in found if one.group)
    if len(counts) > MOST_GROUPS:
        raise InvalidInput(
            f"There are {len(counts):,} groups; at most {MOST_GROUPS} can be balanced.", hint="Name fewer attributes."
        )
    return counts


def unseen(found: Sequence[Member]) -> list[str]:
    """The combinations of what several attributes declare that no picture has."""
    there = {one.values for one in found if one.group}
    every = product(*(sorted(set(values)) for values in zip(*there, strict=True)))
    return [BETWEEN.join(values) for values in every if values not in there]


def target_of(
    session: Session, said: str, counts: Mapping[str, int], attributes: Sequence[str]
) -> tuple[dict[str, float], str]:
    """The share that each group ought to have, and how a person says it.

    `said` is "equal", "as:DATASET", or shares as JSON. Raises InvalidInput for shares that do not fit the groups.
    """
    if said == "equal":
        return {group: 1 / len(counts) for group in counts}, "equal shares"
    if said.startswith("as:"):
        other = find_dataset(session, said.removeprefix("as:"))
        there: dict[str, float] = dict(counts_of(members(session, other, attributes, Where())))
        return _whole({group: there.get(group, 0.0) for group in counts}), f"the shares of {other.name}"
    try:
        shares: Any = json.loads(said)
        given = {str(group): float(share) for group, share in shares.items()}
    except (ValueError, TypeError, AttributeError) as problem:
        raise InvalidInput(
            f"'{said[:60]}' is no target.",
            hint='Say equal, as:DATASET, or shares as JSON: {"light": 0.5, "dark": 0.5}.',
        ) from problem
    for group in given:
        if group not in counts:
            raise unknown("group", group, counts)
    if missing := sorted(set(counts) - set(given)):
        raise InvalidInput(f"No share is given for '{missing[0]}'.", hint="Give one for each group; 0 is allowed.")
    return _whole(given), "the shares that were given"


def _whole(shares: Mapping[str, float]) -> dict[str, float]:
    """The shares, together 1; raises InvalidInput where there is nothing to share."""
    total = sum(shares.values())
    if total <= 0 or min(shares.values()) < 0 or total != total or total == float("inf"):
        raise InvalidInput("Shares are numbers from 0 on, not all of them 0.")
    return {group: share / total for group, share in shares.items()}
