"""How balanced a dataset is over what its pictures declare: shares with intervals, effects, and what can be told."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import combinations

from sqlalchemy.orm import Session

from sfumato.actions import Act, query
from sfumato.data.collect import find_dataset
from sfumato.data.groups import counts_of, declared, members, target_of
from sfumato.data.items import read_where
from sfumato.data.narrowing import Where
from sfumato.data.records import Dataset
from sfumato.errors import InvalidInput
from sfumato.statistics import balance as told
from sfumato.statistics.intervals import wilson

FEW = 5  # pictures of a group that are expected, below which a test tells nothing
SIZES = ((0.5, "large"), (0.3, "medium"), (0.1, "small"))  # Cohen's words for w, and for V


@dataclass(frozen=True)
class Share:
    """A group's share with the bounds of its interval, what it ought to be, and the pictures that tell them apart."""

    group: str
    n: int
    share: float
    low: float
    high: float
    target: float
    needed: int | None  # None where they are the same


@dataclass(frozen=True)
class Balance:
    """The groups of one attribute beside a target."""

    attribute: str
    target: str
    declared: int
    silent: int
    shares: list[Share]
    distance: float
    distance_by_chance: float
    distance_excess: float
    effect: float  # Cohen's w
    p: float  # of a G test, adjusted for all attributes
    needed: int | None  # pictures that show this effect four times in five
    says: list[str]


@dataclass(frozen=True)
class Cell:
    """A group of two attributes: its share among the pictures with the first one's value."""

    row: str
    column: str
    n: int
    share: float
    low: float
    high: float


@dataclass(frozen=True)
class Crossed:
    """Two attributes against each other."""

    rows: str
    columns: str
    cells: list[Cell]
    v: float  # Cramér's V
    p: float
    says: str


@dataclass(frozen=True)
class Balances:
    """How balanced a dataset is over some attributes, and over each two of them."""

    dataset: str
    n: int
    balances: list[Balance]
    crossed: list[Crossed]


@query("data.balance")
def show_balance(
    act: Act, *, name: str, attributes: list[str] | None = None, target: str = "equal", where: str = ""
) -> Balances:
    """How balanced a dataset is over attributes that its pictures declare; all of these if none is named.

    `target` is "equal", "as:DATASET", or shares as JSON; `where` narrows the pictures, as JSON.
    """
    dataset, said = find_dataset(act.session, name), read_where(where)
    names = list(dict.fromkeys(attributes or declared(act.session, dataset, said)))
    if not names:
        raise InvalidInput(
            f"No picture of '{name}' declares an attribute.", hint="Name a column instead: style, category, source."
        )
    found = [_balance(act.session, dataset, one, target, said) for one in names]
    adjusted = told.holm([one.p for one in found])
    found = [replace(one, p=p) for one, p in zip(found, adjusted, strict=True)]
    crossed = [_crossed(act.session, dataset, one, other, said) for one, other in combinations(names[:6], 2)]
    n = found[0].declared + found[0].silent
    return Balances(dataset.name, n, [replace(one, says=_says(one)) for one in found], crossed)


def _balance(session: Session, dataset: Dataset, attribute: str, said: str, where: Where) -> Balance:
    rows = members(session, dataset, [attribute], where)
    counts = counts_of(rows)
    n = sum(counts.values())
    wanted, words = target_of(session, said, counts, [attribute])
    bounds = told.share_intervals(counts)
    shares = [
        Share(
            group, counts[group], bounds[group].value, bounds[group].low, bounds[group].high, wanted[group],
            _needed(bounds[group].value, wanted[group]),
        )
        for group in sorted(counts, key=lambda one: (-counts[one], one))
    ]  # fmt: skip
    told_apart = [one for one in shares if one.target > 0]
    if len(told_apart) < 2:
        return Balance(attribute, words, n, len(rows) - n, shares, 0.0, 0.0, 0.0, 0.0, 1.0, None, [])
    found, aim = [one.n for one in told_apart], [one.target for one in told_apart]
    distance, effect = told.distance_to(found, aim), told.cohens_w(found, aim)
    return Balance(
        attribute, words, n, len(rows) - n, shares, distance.value, distance.by_chance, distance.excess, effect,
        told.goodness(found, aim).p, _needed_for(effect, len(aim)), [],
    )  # fmt: skip


def _needed(share: float, target: float) -> int | None:
    if not 0 < target < 1 or abs(share - target) < 1e-9:
        return None
    return told.needed_for_share(share, target)


def _needed_for(effect: float, groups: int) -> int | None:
    try:
        return told.needed_for_effect(effect, groups) if effect > 1e-9 else None
    except InvalidInput:
        return None


def size_in_words(effect: float) -> str:
    """Cohen's word for an effect."""
    return next((word for least, word in SIZES if effect >= least), "negligible")


def p_in_words(p: float) -> str:
    """A p value as people write it."""
    return "p < 0.001" if p < 0.001 else f"p = {p:.2g}"


def _says(one: Balance) -> list[str]:
    """What the figures mean, in sentences."""
    silent = f" {one.silent:,} pictures declare none and are not counted." if one.silent else ""
    if len(one.shares) < 2:
        only = one.shares[0].group if one.shares else "nothing"
        return [f"All {one.declared:,} pictures that declare {one.attribute} declare {only}.{silent}"]
    said = []
    for share in sorted(one.shares, key=lambda one: -abs(one.share - one.target))[:3]:
        if share.needed is None or share.low <= share.target <= share.high:
            continue
        enough = "enough" if one.declared >= share.needed else "too few to be sure of it"
        said.append(
            f"{share.group} is {share.share:.0%} ({share.low * 100:.0f} to {share.high * 100:.0f}) of {one.attribute}, "
            f"{share.target:.0%} would be {one.target.removeprefix('the ')}; {share.needed:,} pictures show such a "
            f"difference, there are {one.declared:,}: {enough}."
        )
    few = [share.group for share in one.shares if 0 < share.target * one.declared < FEW]
    if few:
        said.append(f"Too few pictures declare {one.attribute} to test {', '.join(few[:5])}.")
    if one.p >= 0.05:
        far = f"No evidence that {one.attribute} is off {one.target.removeprefix('the ')}"
    else:
        far = f"{one.attribute} is off {one.target.removeprefix('the ')}, a {size_in_words(one.effect)} effect"
    said.append(
        f"{far}: w = {one.effect:.2f}, {p_in_words(one.p)}; {one.distance:.0%} of the pictures would have to be "
        f"others, of which chance alone explains {min(one.distance, one.distance_by_chance):.0%}.{silent}"
    )
    return said


def _crossed(session: Session, dataset: Dataset, rows: str, columns: str, where: Where) -> Crossed:
    found = members(session, dataset, [rows, columns], where)
    counts_of(found)  # refuses too many groups
    pairs = Counter(one.values for one in found if one.group)
    names = sorted({row for row, _ in pairs}), sorted({column for _, column in pairs})
    totals: Counter[str] = Counter()
    for (row, _), n in pairs.items():
        totals[row] += n
    cells = []
    for row in names[0]:
        for column in names[1]:
            n = pairs[row, column]
            bounds = wilson(n / totals[row], totals[row])
            cells.append(Cell(row, column, n, bounds.value, bounds.low, bounds.high))
    table = [[pairs[row, column] for column in names[1]] for row in names[0]]
    test, v = told.independence(table) if table else (told.GTest(0, 0, 1.0), 0.0)
    if test.p < 0.05:
        says = f"{rows} and {columns} go together: V = {v:.2f}, a {size_in_words(v)} effect, {p_in_words(test.p)}."
    else:
        says = f"No evidence that {rows} and {columns} go together: V = {v:.2f}, {p_in_words(test.p)}."
    return Crossed(rows, columns, cells, v, test.p, says + _empty(cells))


def _empty(cells: Sequence[Cell]) -> str:
    """What no picture shows."""
    none = [f"{one.row} with {one.column}" for one in cells if not one.n]
    more = f" and {len(none) - 5} more" if len(none) > 5 else ""
    return f" No picture has {', '.join(none[:5])}{more}." if none else ""
