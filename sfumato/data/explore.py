"""Exploring a dataset: how its measured columns lie, which values and words it has, and one table against another."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field

from sfumato.actions import Act, query
from sfumato.data.collect import find_dataset
from sfumato.data.held import Coded, Columns, columns_of, parts_of, together
from sfumato.data.narrowing import Where
from sfumato.data.records import Dataset
from sfumato.errors import unknown

if TYPE_CHECKING:
    import numpy as np

BINS = 24
SHOWN = 12  # values of one kind, the most common first
WORDS, PAIRED = 60, 80  # words that are told, and those of which pairs are counted
MOST_ROWS = 20  # of a table of one column against another
WHOLE = ("width", "height", "caption_letters", "file_bytes")
BY_SIZE = ("width", "height", "aspect", "file_bytes")  # what doubles rather than grows: each bin a factor
VALUES = ("state", "licence", "source", "category", "style", "author", "consent", "family", "concept")
Limit = Annotated[int, Field(ge=1, le=500)]


@dataclass(frozen=True)
class Histogram:
    """How a measured column lies: pictures in each bin, in all and among those that the other parts leave."""

    column: str
    edges: list[float]
    every: list[int]
    kept: list[int]
    whole: bool
    missing: int
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class Values:
    """How often each value of a column occurs, in all and among those that the other parts leave."""

    column: str
    values: list[tuple[str, int, int]]
    more: int
    chosen: str | None = None


@dataclass(frozen=True)
class Overview:
    """A dataset in distributions, and how many pictures are meant out of how many."""

    n: int
    of: int
    histograms: list[Histogram]
    values: list[Values]


@dataclass(frozen=True)
class Spoken:
    """A word of captions, or two of one caption: how many captions, and how many times as many as chance would give."""

    words: list[str]
    n: int
    share: float
    lift: float | None = None


@dataclass(frozen=True)
class Crosstab:
    """One column against another: how many pictures have both."""

    rows: list[str]
    columns: list[str]
    counts: list[list[int]]
    n: int


@dataclass(frozen=True)
class Shown:
    """A picture as a grid shows it."""

    id: str
    name: str
    state: str
    found: bool


@dataclass(frozen=True)
class Window:
    """A part of a dataset in its order: how many pictures are meant in all, and those from `start` on."""

    n: int
    start: int
    items: list[Shown]


@query("data.histograms", doors=("api",))
def show_histograms(act: Act, *, name: str, where: Where | None = None) -> Overview:
    """Distributions of every measured column and counts of every value, within what is meant.

    Each is counted without its own part of the narrowing, so that one sees where else it could go.
    """
    return overview_of(act, name, where or Where())


def overview_of(act: Act, name: str, said: Where) -> Overview:
    """Distributions and counts of a dataset within what is meant."""
    dataset = find_dataset(act.session, name)
    columns = columns_of(act, dataset)
    key = ("overview", said.model_dump_json())
    if key not in columns.kept:
        columns.forget("overview")
        columns.kept[key] = _overview(act, dataset, columns, said)
    found: Overview = columns.kept[key]
    return found


def _overview(act: Act, dataset: Dataset, columns: Columns, said: Where) -> Overview:
    parts = parts_of(act, dataset, columns, said)
    n = len(columns.ids)
    kept = together(parts, n)
    histograms = [
        _histogram(columns, column, together(parts, n, column), said.ranges.get(column)) for column in columns.numbers
    ]
    values = [
        _values(columns.words[column], column, together(parts, n, column), getattr(said, column)) for column in VALUES
    ]
    values += [
        _values(coded, f"attribute {one}", together(parts, n, f"attribute {one}"), said.attributes.get(one))
        for one, coded in columns.declared.items()
    ]
    checks = _checks(columns, together(parts, n, "check"), said.check)
    return Overview(int(kept.sum()), n, [one for one in histograms if one], [one for one in (checks, *values) if one])


def _histogram(
    columns: Columns, name: str, mask: "np.ndarray[Any, Any]", chosen: tuple[float | None, float | None] | None
) -> Histogram | None:
    import numpy as np

    values = columns.numbers[name]
    key = ("bins", name)
    if key not in columns.kept:
        there = np.isfinite(values)
        edges = _edges(values[there], name) if there.any() else np.array([])
        places = np.clip(np.searchsorted(edges, values, side="right") - 1, 0, max(len(edges) - 2, 0))
        columns.kept[key] = edges, np.where(there, places, len(edges)).astype(np.int16)
    edges, places = columns.kept[key]
    if len(edges) < 2:
        return None
    bins, whole = len(edges) - 1, name in WHOLE
    every = np.bincount(places, minlength=bins)[:bins]
    kept = np.bincount(places[mask], minlength=bins)[:bins]
    low, high = chosen or (None, None)
    missing = int((places[mask] == len(edges)).sum())
    return Histogram(name, edges.tolist(), every.tolist(), kept.tolist(), whole, missing, low, high)


def _edges(values: "np.ndarray[Any, Any]", name: str) -> "np.ndarray[Any, Any]":
    """Where bins begin and end; those of whole numbers lie between two of them; none where all are the same."""
    import numpy as np

    low, high = float(values.min()), float(values.max())
    if low == high:
        return np.array([])
    if name in WHOLE:
        low, high = low - 0.5, high + 0.5
    if name in BY_SIZE and low > 0 and high / low > 8:
        edges = np.geomspace(low, high, BINS + 1)
    else:
        edges = np.linspace(low, high, BINS + 1)
    if name in WHOLE:
        edges = np.unique(np.floor(edges) + 0.5)
        edges[0], edges[-1] = low, high
    return edges


def _values(coded: Coded, name: str, mask: "np.ndarray[Any, Any]", chosen: str | None) -> Values | None:
    import numpy as np

    if len(coded.values) < 2 and not any(coded.values):
        return None
    every = np.bincount(coded.codes, minlength=len(coded.values))
    kept = np.bincount(coded.codes[mask], minlength=len(coded.values))
    there = np.flatnonzero(every)
    order = there[np.argsort(-every[there], kind="stable")].tolist()
    own = coded.find(chosen) if chosen is not None else -1
    shown = order[:SHOWN] + [one for one in order[SHOWN:] if one == own]
    values = coded.values
    rows = [(values[one], int(every[one]), int(kept[one])) for one in shown]
    return Values(name, rows, len(order) - len(rows), chosen)


def _checks(columns: Columns, mask: "np.ndarray[Any, Any]", chosen: str | None) -> Values | None:
    rows = [(check, int(found.sum()), int(found[mask].sum())) for check, found in sorted(columns.checks.items())]
    rows.sort(key=lambda one: -one[1])
    return Values("check", rows, 0, chosen) if rows else None


def kept_places(act: Act, name: str, where: Where | None) -> tuple[Columns, "np.ndarray[Any, Any]"]:
    """A dataset's columns, and the places of the pictures that are meant."""
    import numpy as np

    dataset = find_dataset(act.session, name)
    columns = columns_of(act, dataset)
    parts = parts_of(act, dataset, columns, where or Where())
    return columns, np.flatnonzero(together(parts, len(columns.ids)))


@query("data.window", doors=("api",))
def show_window(
    act: Act, *, name: str, where: Where | None = None, start: int = 0, count: Limit = 100, order: str = ""
) -> Window:
    """Pictures from the place `start` on, as they came or in the `order` of a measured column ("-" before it: from
    its highest value down)."""
    import numpy as np

    columns, places = kept_places(act, name, where)
    if order:
        values = columns.numbers.get(order.removeprefix("-"))
        if values is None:
            raise unknown("measured column", order.removeprefix("-"), columns.numbers)
        ranked = values[places] * (-1 if order.startswith("-") else 1)
        places = places[np.argsort(ranked, kind="stable")]
    taken = places[max(start, 0) : max(start, 0) + count].tolist()
    state = columns.words["state"]
    states = state.values
    shown = [
        Shown(
            columns.ids[one], columns.captions[one], states[state.codes[one]],
            any(found[one] for found in columns.checks.values()),
        )
        for one in taken
    ]  # fmt: skip
    return Window(len(places), max(start, 0), shown)


@query("data.words", doors=("api",))
def show_words(act: Act, *, name: str, where: Where | None = None, pairs: bool = False) -> list[Spoken]:
    """Words of the captions that are meant, or pairs of words of one caption, by how many captions have them."""
    return words_of(act, name, where, pairs=pairs)


def words_of(act: Act, name: str, where: Where | None, *, pairs: bool) -> list[Spoken]:
    """Words of the captions that are meant, or pairs of them."""
    columns, places = kept_places(act, name, where)
    return _pairs(columns, places) if pairs else _words(columns, places)


def _of_words(columns: Columns, places: "np.ndarray[Any, Any]") -> tuple[Any, Any, list[str]]:
    """Which of the pictures that are meant (0 to n - 1) says which word."""
    import numpy as np

    spoken, codes, words = columns.spoken
    order = np.full(len(columns.ids), -1, np.int32)
    order[places] = np.arange(len(places), dtype=np.int32)
    there = order[spoken] >= 0
    return order[spoken][there], codes[there], words


def _words(columns: Columns, places: "np.ndarray[Any, Any]") -> list[Spoken]:
    import numpy as np

    _, codes, words = _of_words(columns, places)
    counts = np.bincount(codes, minlength=len(words))
    first = np.argsort(-counts, kind="stable")[:WORDS]
    total = max(len(places), 1)
    return [Spoken([words[one]], int(counts[one]), float(counts[one]) / total) for one in first if counts[one]]


def _pairs(columns: Columns, places: "np.ndarray[Any, Any]") -> list[Spoken]:
    import numpy as np

    who, codes, words = _of_words(columns, places)
    counts = np.bincount(codes, minlength=len(words))
    first = np.argsort(-counts, kind="stable")[:PAIRED]
    column = np.full(len(words), -1, np.int32)
    column[first] = np.arange(len(first), dtype=np.int32)
    there = column[codes] >= 0 if len(codes) else np.zeros(0, bool)
    says = np.zeros((len(places), len(first)), np.float32)
    says[who[there], column[codes[there]]] = 1
    both = says.T @ says
    total = max(len(places), 1)
    ones, others = np.triu_indices(len(first), 1)
    top = np.argsort(-both[ones, others], kind="stable")[:WORDS]
    found = [(int(ones[one]), int(others[one])) for one in top if both[ones[one], others[one]]]
    return [
        Spoken(
            [words[first[a]], words[first[b]]], int(both[a, b]), float(both[a, b]) / total,
            round(float(both[a, b]) * total / (float(both[a, a]) * float(both[b, b])), 2),
        )
        for a, b in found
    ]  # fmt: skip


@query("data.crosstab", doors=("api",))
def show_crosstab(act: Act, *, name: str, rows: str, columns: str, where: Where | None = None) -> Crosstab:
    """How many pictures have a value of one column and one of another, the most common values first."""
    return crosstab_of(act, name, rows, columns, where)


def crosstab_of(act: Act, name: str, rows: str, columns: str, where: Where | None) -> Crosstab:
    """One column against another within what is meant."""
    import numpy as np

    held, places = kept_places(act, name, where)
    down, across = held.coded(rows), held.coded(columns)
    wide = len(across.values)
    both = np.bincount(
        down.codes[places].astype(np.int64) * wide + across.codes[places], minlength=len(down.values) * wide
    ).reshape(len(down.values), wide)
    row_names, both = _cut(down.values, both)
    column_names, turned = _cut(across.values, both.T)
    return Crosstab(row_names, column_names, turned.T.astype(int).tolist(), len(places))


def _cut(names: list[str], counts: "np.ndarray[Any, Any]") -> tuple[list[str], "np.ndarray[Any, Any]"]:
    """The rows with the most pictures, and the rest as one."""
    import numpy as np

    order = [int(one) for one in np.argsort(-counts.sum(axis=1), kind="stable") if counts[one].any()]
    first, rest = order[:MOST_ROWS], order[MOST_ROWS:]
    shown = [names[one] or "none" for one in first]
    if not rest:
        return shown, counts[first]
    return [*shown, f"{len(rest):,} more"], np.vstack([counts[first], counts[rest].sum(axis=0)])
