"""The charts of a dataset as Vega-Lite, with their numbers inside: made once, shown anywhere, written as files.

The grammar is that of Satyanarayan et al. 2017 (Vega-Lite: A Grammar of Interactive Graphics); a document names the
version of it that it was written for. Every number comes from what the pages and `data counts` show.
"""

import importlib.util
import json
import subprocess
import sys
from dataclasses import dataclass
from typing import Any

from sfumato.actions import Act, query
from sfumato.data.explore import BY_SIZE, Histogram, Values, crosstab_of, overview_of, words_of
from sfumato.data.narrowing import Where, heading
from sfumato.errors import InvalidInput, SfumatoError, Unsupported, unknown

SCHEMA = "https://vega.github.io/schema/vega-lite/v6.json"  # the name of the grammar; nothing is fetched from there
KINDS = {"png": "image/png", "svg": "image/svg+xml", "json": "application/json"}
OTHERS = ("words", "pairs", "crosstab")
WORDS = 30  # the most common ones, as many as can be read
PATIENCE = 120  # seconds that drawing one may take
LEAST, EVERY, MEANT = "#f4f1ea", "#c3cdec", "#26479e"
ALL, THESE = "all pictures", "these"
INSTALL = "Install it: pip install 'sfumato[charts]'. Its Vega-Lite document needs nothing."


@dataclass(frozen=True)
class Chart:
    """A chart of a dataset: its title, and the Vega-Lite document that draws it anywhere."""

    title: str
    spec: dict[str, Any]


@query("data.chart", doors=("api", "cli"))
def show_chart(act: Act, *, name: str, of: str, where: Where | None = None, rows: str = "", columns: str = "") -> Chart:
    """A chart as Vega-Lite: `of` a measured column, a column of values, words, pairs, or a crosstab of two columns."""
    said = where or Where()
    if of == "crosstab":
        return _crosstab(act, name, said, rows, columns)
    if of in ("words", "pairs"):
        return _spoken(act, name, said, pairs=of == "pairs")
    seen = overview_of(act, name, said)
    every: list[Histogram | Values] = [*seen.histograms, *seen.values]
    drawn = {one.column: one for one in every}
    found = drawn.get(of) or drawn.get(f"attribute {of}")
    if found is None:
        raise unknown("chart", of, (*drawn, *OTHERS))
    narrowed = where is not None and where != Where()
    say = f"{seen.n:,} of {seen.of:,} pictures of {name}" if narrowed else f"{seen.n:,} pictures of {name}"
    return _histogram(found, say, narrowed) if isinstance(found, Histogram) else _values(found, say, narrowed)


def _histogram(one: Histogram, say: str, narrowed: bool) -> Chart:
    """Bars over an axis; where it is narrowed, those of all pictures stand behind those that are meant."""
    growing = one.column in BY_SIZE and one.edges[0] > 0 and one.edges[-1] > 8 * one.edges[0]
    rows = [
        {"from": low, "to": high, "pictures": n, "which": which}
        for low, high, every, kept in zip(one.edges[:-1], one.edges[1:], one.every, one.kept, strict=True)
        for which, n in _both(every, kept, narrowed)
    ]
    more = f"; {one.missing:,} not measured" if one.missing else ""
    across = {
        "field": "from", "type": "quantitative", "title": heading(one.column), "bin": {"binned": True},
        "scale": {"type": "log" if growing else "linear", "zero": False, "nice": False},
    }  # fmt: skip
    up = {"field": "pictures", "type": "quantitative", "title": "pictures", "stack": None}
    return _document(
        heading(one.column), say + more, rows,
        mark={"type": "bar", "tooltip": True}, height=220, width=520,
        encoding={"x": across, "x2": {"field": "to"}, "y": up, "color": _colours(narrowed)},
    )  # fmt: skip


def _values(one: Values, say: str, narrowed: bool) -> Chart:
    """Bars beside their names, the most common first."""
    rows = [
        {"value": value or "none", "place": place, "pictures": n, "which": which}
        for place, (value, every, kept) in enumerate(one.values)
        for which, n in _both(every, kept, narrowed)
    ]
    more = f"; and {one.more:,} more values" if one.more else ""
    down = _names("value", heading(one.column))
    across = {"field": "pictures", "type": "quantitative", "title": "pictures", "stack": None}
    return _document(
        heading(one.column), say + more, rows,
        mark={"type": "bar", "tooltip": True}, height={"step": 22}, width=420,
        encoding={"y": down, "x": across, "color": _colours(narrowed)},
    )  # fmt: skip


def _spoken(act: Act, name: str, where: Where, *, pairs: bool) -> Chart:
    found = words_of(act, name, where, pairs=pairs)[:WORDS]
    rows = [
        {"words": " + ".join(one.words), "place": place, "captions": one.n, "share": round(one.share, 4)}
        | ({"times as often as by chance": one.lift} if pairs else {})
        for place, one in enumerate(found)
    ]
    title = "Words of one caption" if pairs else "Words of captions"
    return _document(
        title, f"the {len(rows):,} most common, of {name}", rows,
        mark={"type": "bar", "tooltip": True, "color": MEANT}, height={"step": 18}, width=420,
        encoding={
            "y": _names("words", ""), "x": {"field": "captions", "type": "quantitative", "title": "captions"},
        },
    )  # fmt: skip


def _crosstab(act: Act, name: str, where: Where, rows: str, columns: str) -> Chart:
    if not rows or not columns:
        raise InvalidInput(
            "A table of two columns needs both of them.", hint="Say rows and columns, such as style and licence."
        )
    both = crosstab_of(act, name, rows, columns, where)
    cells: list[dict[str, Any]] = [
        {"row": down, "column": across, "pictures": n}
        for down, counts in zip(both.rows, both.counts, strict=True)
        for across, n in zip(both.columns, counts, strict=True)
    ]
    top = max([n for counts in both.counts for n in counts], default=0)
    dark = {"test": f"datum.pictures > {top / 2}", "value": "white"}
    place = {
        "y": {"field": "row", "type": "nominal", "title": heading(rows), "sort": None},
        "x": {"field": "column", "type": "nominal", "title": heading(columns), "sort": None},
    }
    tones = {"range": [LEAST, MEANT], "domainMin": 0, "interpolate": "rgb"}
    tint = {"field": "pictures", "type": "quantitative", "title": "pictures", "scale": tones}
    return _document(
        f"{heading(rows)} against {heading(columns)}", f"{both.n:,} pictures of {name}", cells,
        width={"step": 64}, height={"step": 26}, encoding=place,
        layer=[
            {"mark": {"type": "rect", "tooltip": True}, "encoding": {"color": tint}},
            {
                "mark": "text",
                "encoding": {
                    "text": {"field": "pictures", "type": "quantitative", "format": ",d"},
                    "color": {"condition": dark, "value": "#222"},
                },
            },
        ],
    )  # fmt: skip


def _names(field: str, title: str) -> dict[str, Any]:
    """An axis of names in the order of their rows."""
    order = {"field": "place", "op": "min"}
    return {"field": field, "type": "nominal", "title": title, "sort": order, "axis": {"labelLimit": 220}}


def _both(every: int, kept: int, narrowed: bool) -> list[tuple[str, int]]:
    """Those of all pictures first, so that the others are drawn over them; these alone where they are all."""
    return [(ALL, every), (THESE, kept)] if narrowed else [(THESE, kept)]


def _colours(narrowed: bool) -> dict[str, Any]:
    if not narrowed:
        return {"value": MEANT}
    scale = {"domain": [ALL, THESE], "range": [EVERY, MEANT]}
    return {"field": "which", "type": "nominal", "title": None, "scale": scale, "legend": {"orient": "top"}}


def _document(title: str, say: str, rows: list[dict[str, Any]], **drawn: Any) -> Chart:
    """A whole document: it carries its numbers, asks for one font, and says what it shows in words."""
    spec = {
        "$schema": SCHEMA,
        "description": f"{title}: {say}.",
        "title": {"text": title, "subtitle": say, "anchor": "start"},
        "data": {"values": rows},
        **drawn,
        "background": "white",
        "config": {"font": "Liberation Sans", "view": {"stroke": None}, "axis": {"grid": False, "tickCount": 6}},
    }
    return Chart(title, spec)


def can_draw() -> bool:
    """Whether charts can be drawn as PNG and SVG here; looks for the library without loading it."""
    return importlib.util.find_spec("vl_convert") is not None


def chart_file(chart: Chart, kind: str) -> bytes:
    """A chart as a file: png, svg or json (Vega-Lite); the same chart gives the same bytes.

    What draws holds a whole engine of JavaScript, so it works in a process of its own. Raises Unsupported without it.
    """
    if kind not in KINDS:
        raise unknown("kind of file", kind, KINDS)
    document = json.dumps(chart.spec, ensure_ascii=False, indent=1, sort_keys=True).encode()
    if kind == "json":
        return document + b"\n"
    if not can_draw():
        raise Unsupported(f"Drawing a chart as {kind.upper()} needs the library vl-convert.", hint=INSTALL)
    command = [sys.executable, "-m", "sfumato.data.chart_drawing", kind]
    try:
        drawn = subprocess.run(command, input=document, capture_output=True, timeout=PATIENCE, check=False)
    except subprocess.TimeoutExpired as late:
        raise SfumatoError(f"Drawing the chart took longer than {PATIENCE} s.", hint="Try again.") from late
    if drawn.returncode != 0:
        last = drawn.stderr.decode(errors="replace").strip().rpartition("\n")[2]
        raise SfumatoError(f"The chart could not be drawn: {last}", hint="Save it as Vega-Lite instead.")
    return drawn.stdout
