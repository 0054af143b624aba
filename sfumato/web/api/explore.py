"""Exploring datasets: distributions, words, tables, parts of a grid, and saved slices."""


from sfumato.actions import Workspace
from sfumato.data.charts import Chart
from sfumato.data.charts import show_chart as ask_chart
from sfumato.data.counts import Table
from sfumato.data.counts import show_counts as ask_counts
from sfumato.data.explore import Crosstab, Overview, Spoken, Window
from sfumato.data.explore import show_crosstab as ask_crosstab
from sfumato.data.explore import show_histograms as ask_histograms
from sfumato.data.explore import show_window as ask_window
from sfumato.data.explore import show_words as ask_words
from sfumato.data.items import read_where
from sfumato.data.slices import drop_slice, list_slices, save_slice
from sfumato.web.addresses import Router
from sfumato.web.offering import offer

router = Router()


def histograms(workspace: Workspace, *, name: str, where: str = "") -> Overview:
    """Distributions of every measured column and counts of every value. `where` is a narrowing as JSON."""
    return ask_histograms(workspace, name=name, where=read_where(where))


def window(
    workspace: Workspace, *, name: str, where: str = "", start: int = 0, count: int = 100, order: str = ""
) -> Window:
    """Pictures from the place `start` on, at most 500. `where` is a narrowing as JSON, `order` a measured column."""
    return ask_window(
        workspace, name=name, where=read_where(where), start=start, count=max(1, min(count, 500)), order=order
    )


def words(workspace: Workspace, *, name: str, where: str = "", pairs: bool = False) -> list[Spoken]:
    """Words of captions, or pairs of words, by how many captions have them. `where` is a narrowing as JSON."""
    return ask_words(workspace, name=name, where=read_where(where), pairs=pairs)


def crosstab(workspace: Workspace, *, name: str, rows: str, columns: str, where: str = "") -> Crosstab:
    """One column or attribute against another, counted. `where` is a narrowing as JSON."""
    return ask_crosstab(workspace, name=name, rows=rows, columns=columns, where=read_where(where))


def counts(
    workspace: Workspace, *, name: str, of: str, where: str = "", rows: str = "", columns: str = ""
) -> Table:
    """The table behind a chart: columns, values, words, pairs or crosstab. `where` is a narrowing as JSON."""
    return ask_counts(workspace, name=name, of=of, where=read_where(where), rows=rows, columns=columns)


def chart(
    workspace: Workspace, *, name: str, of: str, where: str = "", rows: str = "", columns: str = ""
) -> Chart:
    """A chart as a Vega-Lite document with its numbers inside. `of` is a measured column, a column of values, words,
    pairs or crosstab; `where` is a narrowing as JSON."""
    return ask_chart(workspace, name=name, of=of, where=read_where(where), rows=rows, columns=columns)


offer(router, "GET", "/datasets/{name}/histograms", histograms, name="data.histograms")
offer(router, "GET", "/datasets/{name}/window", window, name="data.window")
offer(router, "GET", "/datasets/{name}/words", words, name="data.words")
offer(router, "GET", "/datasets/{name}/crosstab", crosstab, name="data.crosstab")
offer(router, "GET", "/datasets/{name}/counts/{of}", counts, name="data.counts")
offer(router, "GET", "/datasets/{name}/charts/{of}", chart, name="data.chart")
offer(router, "GET", "/datasets/{name}/slices", list_slices)
offer(router, "POST", "/datasets/{name}/slices", save_slice)
offer(router, "DELETE", "/datasets/{name}/slices/{slice_name}", drop_slice)
