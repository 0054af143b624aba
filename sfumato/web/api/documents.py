"""What leaves of datasets, and what is said of them: exports, tables, datasheets and descriptions for machines."""

from typing import Annotated, Any, Literal

from fastapi import Query
from starlette.responses import FileResponse, Response

from sfumato.actions import Workspace
from sfumato.data.croissant import croissant as describe
from sfumato.data.datasheet import Datasheet, answer_question
from sfumato.data.datasheet import datasheet as read_datasheet
from sfumato.data.exports.asking import Form, export_to_fetch, finished_export
from sfumato.data.items import read_where
from sfumato.data.narrowing import Where
from sfumato.data.sheets import KINDS, written
from sfumato.data.tables import items
from sfumato.jobs import JobView
from sfumato.web.addresses import Router
from sfumato.web.offering import offer
from sfumato.web.visits import Here

router = Router()
KEEP = {"Cache-Control": "private, no-store"}
BINARY: dict[str, Any] = {"schema": {"type": "string", "format": "binary"}}
MIMES = {".csv": "text/csv; charset=utf-8", ".parquet": "application/vnd.apache.parquet",
         ".jsonl": "application/jsonlines"}  # fmt: skip
TEXT: dict[str, Any] = {"schema": {"type": "string"}}
TABLES = {mime.partition(";")[0]: BINARY for mime in MIMES.values()}
VERSION = Annotated[str, Query(max_length=80, description="a frozen version; the dataset as it is now without one")]


def named(name: str, version: str) -> str:
    """How verbs name a dataset's version."""
    return f"{name}@{version}" if version else name


def export(
    workspace: Workspace, *, name: str, form: Form, version: str = "latest", where: Where | None = None
) -> JobView:
    """Write a frozen version, or a slice of it, as one file that is fetched by the job's id when it is done."""
    return export_to_fetch(workspace, data=named(name, version), form=form, where=where)


def datasheet(workspace: Workspace, *, name: str, version: str = "") -> Datasheet:
    """The datasheet of a dataset as it is now, or of a version: what is measured, and what is open."""
    return read_datasheet(workspace, name=named(name, version))


def croissant(workspace: Workspace, *, name: str, version: str = "latest") -> dict[str, Any]:
    """A frozen version in the words of Croissant 1.1, as JSON-LD."""
    return describe(workspace, name=named(name, version))


offer(router, "POST", "/datasets/{name}/exports", export, name="data.export")
offer(router, "GET", "/datasets/{name}/datasheet", datasheet, name="data.datasheet")
offer(router, "GET", "/datasets/{name}/croissant", croissant, name="data.croissant")
offer(router, "PUT", "/datasets/{name}/datasheet/{question}", answer_question)


@router.get(
    "/exports/{job}/file", operation_id="data.fetch_export", summary="What a job has exported",
    responses={200: {"content": {"application/zip": BINARY}}}, openapi_extra={"x-permission": "dataset.write"},
)  # fmt: skip
def export_file(visit: Here, job: str) -> FileResponse:
    """A zip with the pictures, their licences and their documents, named by the job that wrote it."""
    path = finished_export(visit.workspace, job=job)
    return FileResponse(path, media_type="application/zip", filename=path.name, headers=KEEP)


@router.get(
    "/datasets/{name}/datasheet/file", operation_id="data.datasheet_file", summary="A datasheet as a file",
    responses={200: {"content": {"text/markdown": TEXT, "text/html": TEXT, "application/json": {}}}},
    openapi_extra={"x-permission": "record.read"},
)  # fmt: skip
def datasheet_file(
    visit: Here, name: str, kind: Literal["md", "html", "json"] = "md", version: VERSION = ""
) -> Response:
    """The datasheet as Markdown, as a page that stands alone, or as JSON."""
    text = written(read_datasheet(visit.workspace, name=named(name, version)), f".{kind}")
    return _kept(text.encode(), KINDS[f".{kind}"], f"datasheet.{kind}")


@router.get(
    "/datasets/{name}/table", operation_id="data.table", summary="A dataset's pictures as a table",
    responses={200: {"content": TABLES}},
    openapi_extra={"x-permission": "record.read"},
)  # fmt: skip
def table(
    visit: Here, name: str, kind: Literal["csv", "parquet", "jsonl"] = "csv", version: VERSION = "",
    where: Annotated[str, Query(max_length=20_000, description="which pictures are meant, as JSON")] = "",
) -> Response:  # fmt: skip
    """One row for each picture, with all that is known of it."""
    found = items(visit.workspace, named(name, version), where=read_where(where))
    return _kept(found.as_bytes(f".{kind}"), MIMES[f".{kind}"], f"items.{kind}")


def _kept(data: bytes, mime: str, file_name: str) -> Response:
    """Bytes for keeping: no browser shows them as a page of the studio."""
    told = {"Content-Disposition": f"attachment; filename={file_name}", **KEEP}
    return Response(data, media_type=mime, headers=told)
