"""The tables behind the charts of a dataset, for a file."""

import csv
import io
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sfumato.actions import Act, query
from sfumato.data.explore import Overview, Spoken, crosstab_of, overview_of, words_of
from sfumato.data.narrowing import Where
from sfumato.errors import InvalidInput, unknown

TABLES = ("columns", "values", "words", "pairs", "crosstab")
FORMULA = ("=", "+", "-", "@", "\t", "\r")  # how a cell begins that a spreadsheet would take for one


@dataclass(frozen=True)
class Table:
    """A table: its headings and its rows."""

    head: list[str]
    rows: list[list[str | int | float | None]]

    def csv(self) -> str:
        """The table as a file that spreadsheets read; no word of it is taken for a formula."""
        out = io.StringIO()
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow([_plain(one) for one in self.head])
        writer.writerows([_plain(one) for one in row] for row in self.rows)
        return out.getvalue()


@query("data.counts", doors=("api", "cli"))
def show_counts(
    act: Act, *, name: str, of: str, where: Where | None = None, rows: str = "", columns: str = ""
) -> Table:
    """The table behind a chart: `of` columns, values, words, pairs, or a crosstab of `rows` and `columns`."""
    if of not in TABLES:
        raise unknown("table", of, TABLES)
    if of == "crosstab":
        return _crosstab(act, name, where, rows, columns)
    if of in ("words", "pairs"):
        return _spoken(words_of(act, name, where, pairs=of == "pairs"), of == "pairs")
    seen = overview_of(act, name, where or Where())
    return _values(seen) if of == "values" else _columns(seen)


def _crosstab(act: Act, name: str, where: Where | None, rows: str, columns: str) -> Table:
    if not rows or not columns:
        raise InvalidInput(
            "A table of two columns needs both of them.", hint="Say rows and columns, such as style and licence."
        )
    both = crosstab_of(act, name, rows, columns, where)
    lines: list[list[str | int | float | None]] = [
        [one, *counts] for one, counts in zip(both.rows, both.counts, strict=True)
    ]
    return Table([f"{rows} / {columns}", *both.columns], lines)


def _spoken(found: list[Spoken], pairs: bool) -> Table:
    if not pairs:
        return Table(["word", "captions", "share"], [[*one.words, one.n, round(one.share, 4)] for one in found])
    rows: list[list[str | int | float | None]] = [
        [*one.words, one.n, round(one.share, 4), one.lift] for one in found
    ]
    return Table(["word", "with", "captions", "share", "times as often as by chance"], rows)


def _values(seen: Overview) -> Table:
    return Table(["column", "value", "all", "meant"], [[one.column, *row] for one in seen.values for row in one.values])


def _columns(seen: Overview) -> Table:
    rows: list[list[str | int | float | None]] = [
        [one.column, edge(low, one.whole, math.ceil), edge(high, one.whole, math.floor), every, kept]
        for one in seen.histograms
        for low, high, every, kept in zip(one.edges[:-1], one.edges[1:], one.every, one.kept, strict=True)
    ]
    return Table(["column", "from", "to", "all", "meant"], rows)


def edge(value: float, whole: bool, settle: Callable[[float], int]) -> float:
    """Where a bin ends as a person writes it: whole numbers lie between two edges."""
    return settle(value) if whole else round(value, 4)


def _plain(cell: Any) -> Any:
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(FORMULA) else cell
