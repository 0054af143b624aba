"""A dataset's words and tables, and its datasheet with what people answered and what is open."""

import re
import threading
from typing import Annotated
from urllib.parse import urlencode

from fastapi import Query
from starlette.requests import Request
from starlette.responses import Response

from sfumato.actions.registry import allowed
from sfumato.data.charts import KINDS, can_draw, chart_file, show_chart
from sfumato.data.counts import show_counts
from sfumato.data.datasheet import answer_question, datasheet
from sfumato.data.explore import show_crosstab, show_histograms, show_words
from sfumato.data.freeze import list_versions
from sfumato.data.narrowing import Where
from sfumato.errors import Conflict, InvalidInput, SfumatoError
from sfumato.web.addresses import Router
from sfumato.web.desks import Page
from sfumato.web.pages.data import WHY
from sfumato.web.sent import Sent, said
from sfumato.web.visits import Here, Visit
from sfumato.web.wheres import chips_of, pairs_of, title, where_from

router = Router()
DRAWING = threading.Lock()  # one at a time: each holds an engine of JavaScript
Word = Annotated[str, Query(max_length=200)]


@router.get("/data/{name}/words")
def show_tables(visit: Here, name: str, request: Request, rows: Word = "style", columns: Word = "licence") -> Response:
    """Words of captions and their pairs, and one column against another, within what the address says."""
    workspace, path = visit.workspace, f"/data/{name}/words"
    where = where_from(request.query_params.multi_items())
    seen = show_histograms(workspace, name=name, where=where)
    told = [one.column.removeprefix("attribute ") for one in seen.values if one.column != "check"]
    down = rows if rows in told else (told or [""])[0]
    across = columns if columns in told else (told or [""])[-1]
    page = Page("Words and tables", "data", crumbs=(("Data", "/data"), (name, f"/data/{name}"), ("Words", "")))
    narrowing = pairs_of(where)
    return visit.render(
        "data/words.html", page=page, name=name, path=path, where=where, total=seen.of, n=seen.n,
        narrowed=where != Where(), pairs=narrowing, query=urlencode(narrowing), chips=chips_of(path, where, {}),
        words=show_words(workspace, name=name, where=where)[:40],
        together=show_words(workspace, name=name, where=where, pairs=True)[:25],
        told=[(one, title(one)) for one in told], rows=down, columns=across,
        table=show_crosstab(workspace, name=name, rows=down, columns=across, where=where) if told else None,
        drawn=can_draw(),
    )  # fmt: skip


@router.get("/data/{name}/counts/{of}.csv")
def counts_file(visit: Here, name: str, of: str, request: Request, rows: Word = "", columns: Word = "") -> Response:
    """The table behind a chart as a file."""
    where = where_from(request.query_params.multi_items())
    found = show_counts(visit.workspace, name=name, of=of, where=where, rows=rows, columns=columns)
    headers = {"Content-Disposition": f'attachment; filename="{name}-{of}.csv"'}
    return Response(found.csv(), media_type="text/csv; charset=utf-8", headers=headers)


@router.get("/data/{name}/chart.{kind}")
def chart_of(
    visit: Here, name: str, kind: str, request: Request, *, of: Word = "", rows: Word = "", columns: Word = ""
) -> Response:
    """A chart as a file, within what the address says; drawn anew, and the same for the same numbers."""
    if not of:
        raise InvalidInput("This address does not say which chart.", hint="Save it from the page that shows it.")
    where = where_from(request.query_params.multi_items())
    found = show_chart(visit.workspace, name=name, of=of, where=where, rows=rows, columns=columns)
    with DRAWING:
        written = chart_file(found, kind)
    told = "crosstab" if of == "crosstab" else of.removeprefix("attribute ")
    safe = re.sub(r"[^A-Za-z0-9_.-]+", "-", f"{name}-{told}")
    headers = {"Content-Disposition": f'attachment; filename="{safe}.{kind}"'}
    return Response(written, media_type=KINDS[kind], headers=headers)


@router.get("/data/{name}/datasheet")
def show_sheet(visit: Here, name: str, version: Word = "") -> Response:
    """The datasheet of a dataset as it is now, or of a frozen version of it."""
    return _sheet(visit, name, version)


def _sheet(visit: Visit, name: str, version: str = "", wrong: SfumatoError | None = None) -> Response:
    workspace = visit.workspace
    sheet = datasheet(workspace, name=f"{name}@{version}" if version else name)
    page = Page("Datasheet", "data", crumbs=(("Data", "/data"), (name, f"/data/{name}"), ("Datasheet", "")))
    return visit.render(
        "data/datasheet.html", status=wrong.status if wrong else 200, page=page, name=name, sheet=sheet,
        version=version, versions=[one.name for one in list_versions(workspace, name=name, limit=50)][::-1],
        may=allowed(workspace, "dataset.write"), why=WHY, **said(wrong),
    )  # fmt: skip


@router.post("/data/{name}/datasheet")
def answer(visit: Here, name: str, form: Sent) -> Response:
    """Answer a question of the datasheet; who saw an older answer is told."""
    key, revision = form.get("question", ""), form.get("revision", "")
    try:
        answer_question(
            visit.workspace, name=name, question=key, text=form.get("text", ""),
            revision=int(revision) if revision.isdecimal() else None,
        )  # fmt: skip
    except (InvalidInput, Conflict) as wrong:
        return _sheet(visit, name, wrong=wrong)
    return visit.go(f"/data/{name}/datasheet#q-{key}")
