"""Datasets: their pictures, their frozen versions, and taking pictures in."""

from typing import Annotated, Any

from fastapi import Query
from starlette.requests import Request
from starlette.responses import Response

from sfumato.actions import Workspace
from sfumato.compliance.uses import Use, uses_of
from sfumato.data.collect import collect as ask_to_collect
from sfumato.data.collect import list_datasets, show_dataset
from sfumato.data.freeze import VersionView, list_versions
from sfumato.data.freeze import freeze as freeze_now
from sfumato.data.items import content_of, items_of_content, list_items, original, show_item, thumbnail
from sfumato.data.places import SERVER_PATHS
from sfumato.data.shelf import list_choices, list_frozen, list_left_out, show_cover
from sfumato.data.shelving import archive_dataset, rename_dataset, unarchive_dataset
from sfumato.errors import Forbidden
from sfumato.jobs import JobView
from sfumato.web.addresses import Router
from sfumato.web.files import ASKS, FOR_EVER, file_answer, lasting
from sfumato.web.offering import offer
from sfumato.web.uploads import FORM, Uploaded, take_in
from sfumato.web.visits import Here, counted
from sfumato.web.written import as_bytes

router = Router()
Content = Annotated[str, Query(pattern="^([0-9a-f]{64})?$")]


def collect(workspace: Workspace, *, name: str, source: str, options: dict[str, Any] | None = None) -> JobView:
    """Take pictures from a source into a dataset, which is made if need be. To send pictures, use its uploads."""
    if set(SERVER_PATHS) & set(options or {}) and "admin" not in workspace.actor.roles:
        raise Forbidden("To read a folder of the server is for admins.", hint="Upload the pictures instead.")
    return ask_to_collect(workspace, source=source, into=name, options=options)


def freeze(workspace: Workspace, *, name: str) -> VersionView:
    """Freeze a dataset: name exactly what it holds now, for runs to learn from."""
    return freeze_now(workspace, name=name)


offer(router, "GET", "/datasets", list_datasets, key="name")
offer(router, "GET", "/datasets/{name}", show_dataset)
offer(router, "POST", "/datasets/{name}/rename", rename_dataset)
offer(router, "POST", "/datasets/{name}/archive", archive_dataset)
offer(router, "POST", "/datasets/{name}/unarchive", unarchive_dataset)
offer(router, "POST", "/datasets/{name}/collections", collect, name="data.collect", count_as="upload")
offer(router, "GET", "/datasets/{name}/versions", list_versions)
offer(router, "POST", "/datasets/{name}/versions", freeze, name="data.freeze")
offer(router, "GET", "/datasets/{name}/items", list_items)
offer(router, "GET", "/items/{id}", show_item)
offer(router, "GET", "/contents/{sha256}/items", items_of_content)
offer(router, "GET", "/dataset-versions", list_frozen)
offer(router, "GET", "/datasets/{name}/left-out", list_left_out)
offer(router, "GET", "/datasets/{name}/cover", show_cover)
offer(router, "GET", "/datasets/{name}/choices", list_choices)


@router.post(
    "/datasets/{name}/uploads", operation_id="data.upload", response_model=Uploaded, status_code=202,
    summary="Send pictures into a dataset", openapi_extra=FORM,
)  # fmt: skip
@counted("upload")
async def upload(visit: Here, name: str, request: Request) -> Response:
    """Take pictures, with captions in .txt files of the same name, and start collecting them."""
    taken = await take_in(visit, name, request)
    return Response(as_bytes(Uploaded, taken), 202, media_type="application/json")


@router.get("/items/{id}/file", operation_id="item.file", summary="The bytes of a dataset's picture")
def item_file(visit: Here, id: str, download: bool = False) -> Response:
    """The picture as it is now, cropped or turned if it was; an SVG, which could act by itself, is given as a PNG."""
    item = show_item(visit.workspace, id=id)
    tag, same = lasting(visit, item.sha256, ASKS)
    if same:
        return same
    data, mime = original(visit.workspace, item.sha256)
    name = f"{item.id[-12:]}.{mime.rpartition('/')[2]}"
    return file_answer(data, mime, tag, name=name, download=download, cache=ASKS)


@router.get("/items/{id}/thumb", operation_id="item.thumb", summary="A small copy of a dataset's picture")
def item_thumb(visit: Here, id: str, sha256: Content = "") -> Response:
    """A WebP of at most 160 pixels a side, of the picture as it is now, or as it was with the content `sha256`."""
    content, cache = content_of(visit.workspace, id=id, sha256=sha256), FOR_EVER if sha256 else ASKS
    tag, same = lasting(visit, f"{content}-thumb", cache)
    return same or file_answer(thumbnail(visit.workspace, content).read_bytes(), "image/webp", tag, cache=cache)


@router.get(
    "/items/{id}/uses", operation_id="item.uses", response_model=list[Use], summary="Where a dataset's picture went",
    openapi_extra={"x-permission": "record.read"},
)  # fmt: skip
def item_uses(visit: Here, id: str) -> Response:
    """The frozen versions that hold the picture, and the models that learnt from each."""
    return Response(as_bytes(list[Use], uses_of(visit.workspace, id=id)), media_type="application/json")
