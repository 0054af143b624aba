"""Pictures: asking for them, looking at them, their files, where they come from, and whether they are unchanged."""

from starlette.responses import Response

from sfumato.actions import Workspace
from sfumato.generation.create import Asked, CreateOptions
from sfumato.generation.create import create as ask_to_create
from sfumato.generation.gallery import beside, list_tiles
from sfumato.generation.history import drawing_models, history, progress, styles, understand_prompt
from sfumato.generation.pictures import list_images, list_requests, show_image, show_request
from sfumato.web.addresses import Router
from sfumato.web.files import file_answer, lasting
from sfumato.web.offering import offer
from sfumato.web.visits import Here

router = Router()


def create(workspace: Workspace, *, prompt: str, options: CreateOptions | None = None) -> Asked:
    """Draw pictures of a sentence: the answer says what the model knows of it, and which job draws."""
    return ask_to_create(workspace, prompt=prompt, options=options.model_dump() if options else {})


offer(router, "GET", "/images", list_images)
offer(router, "GET", "/images/{id}", show_image)
offer(router, "GET", "/requests", list_requests)
offer(router, "POST", "/requests", create, name="image.create", count_as="create")
offer(router, "GET", "/requests/{id}", show_request)
offer(router, "GET", "/requests/{id}/progress", progress)
offer(router, "GET", "/tiles", list_tiles)
offer(router, "GET", "/images/{id}/beside", beside)
offer(router, "GET", "/history", history)
offer(router, "GET", "/knowledge", understand_prompt)
offer(router, "GET", "/drawing-models", drawing_models)
offer(router, "GET", "/drawing-models/{model}/styles", styles)


@router.get("/images/{id}/file", operation_id="image.file", summary="The bytes of a picture, as it was let out")
def image_file(visit: Here, id: str, download: bool = False) -> Response:
    """The picture with its marks and its Content Credentials."""
    found = show_image(visit.workspace, id=id)
    tag, same = lasting(visit, found.sha256)
    if same:
        return same
    data = visit.workspace.store.get(found.sha256)
    return file_answer(data, found.mime, tag, name=found.file_name, download=download)
