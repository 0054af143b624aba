"""Runs side by side: curves over the same axes, the options that differ, and the last previews."""

from typing import Annotated, Any

from fastapi import Query
from starlette.responses import Response

from sfumato.errors import InvalidInput
from sfumato.training.compare import MOST, Comparison, compare
from sfumato.training.watching import list_cards
from sfumato.web.addresses import Router
from sfumato.web.charts import Chart, Series, line_chart
from sfumato.web.desks import Page
from sfumato.web.runs import TOLD, value_in_words
from sfumato.web.sent import said
from sfumato.web.visits import Here
from sfumato.web.words import duration, number, plural

router = Router()
OFFERED = 60  # runs to choose from


@router.get("/compare-runs")
def show(visit: Here, run: Annotated[list[str], Query(max_length=20)] = []) -> Response:  # noqa: B006
    """Up to eight runs beside each other; with fewer than two chosen, those that there are to choose from."""
    found, wrong = None, None
    if len(run) > 1:  # with one alone there is still to choose whom to compare it with
        try:
            found = compare(visit.workspace, names=",".join(run))
        except InvalidInput as refused:
            wrong = refused
    page = Page("Compare runs", "train", crumbs=(("Train", "/train"), ("Compare runs", "")))
    return visit.render(
        "train/compare.html",
        status=wrong.status if wrong else 200,
        page=page,
        found=found,
        chosen=run,
        most=MOST,
        offered=sorted(list_cards(visit.workspace, limit=OFFERED), key=lambda one: one.run.name not in run),
        charts=charts_of(found) if found else [],
        rows=rows_of(found) if found else [],
        differ=differ(found) if found else "",
        **said(wrong),
    )


def charts_of(found: Comparison) -> list[Chart]:
    """Training loss and held-out loss of all runs over the same axes."""
    loss = [Series(one.name, one.curves.loss) for one in found.runs if one.curves.loss]
    held_out = [Series(one.name, one.mean_held_out) for one in found.runs if one.mean_held_out]
    charts = [
        line_chart("Training loss", loss, "pictures seen", "lower is better", falls=True),
        line_chart("Held-out loss, mean over noise", held_out, "pictures seen", "lower is better", falls=True),
    ]
    return [one for one in charts if one.lines]


def rows_of(found: Comparison) -> list[tuple[str, list[str]]]:
    """How each run stands, then the options that differ, as rows of a table."""
    rows = [
        ("Seen", [number(one.samples_seen) for one in found.runs]),
        ("Pictures a second", [_speed(one.images_per_second) for one in found.runs]),
        ("Processor time", [duration(one.cpu_seconds) if one.cpu_seconds else "–" for one in found.runs]),
        ("Training loss", [_loss(one.loss) for one in found.runs]),
        ("Held-out loss", [_loss(one.held_out) for one in found.runs]),
    ]
    shown = {"learns from": [one.data for one in found.runs]} if "data" in found.differing else {}
    shown |= {key: values for key, values in found.differing.items() if key != "data"}
    return rows + [
        (key.replace("_", " ").capitalize(), [value_in_words(one) for one in values]) for key, values in shown.items()
    ]


def differ(found: Comparison) -> str:
    """In what the runs differ, as a sentence with the values of each."""
    told = [in_options(key, values) for key, values in found.differing.items()]
    if not told:
        return "All options are the same; only chance and the machine differ."
    more = f", and {plural(len(told) - TOLD, 'more option')} in the table below" if len(told) > TOLD else ""
    return f"They differ in {', '.join(told[:TOLD])}{more}."


def in_options(key: str, values: list[Any]) -> str:
    """An option with its value in each run: "lr (0.004 / 0.002)"."""
    return f"{'data' if key == 'data' else key.replace('_', ' ')} ({' / '.join(value_in_words(one) for one in values)})"


def _speed(value: float) -> str:
    return number(round(value, 1)) if value else "–"


def _loss(value: float | None) -> str:
    return "–" if value is None else f"{value:.4f}"
