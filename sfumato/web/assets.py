"""Style sheets, scripts, fonts and icons under an address that names their content, so that browsers keep them."""

import hashlib
from functools import cache
from pathlib import Path

from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

FOLDER = Path(__file__).parent / "static"
MOUNT = "/static"
SHEETS = (
    "css/tokens.css",
    "css/ground.css",
    "css/layout.css",
    "css/phone.css",
    "css/components/controls.css",
    "css/components/surfaces.css",
    "css/components/figures.css",
    "css/components/pipeline.css",
    "css/components/pictures.css",
    "css/components/people.css",
    "css/components/trace.css",
    "css/components/desk-create.css",
    "css/components/desks.css",
    "css/components/explore.css",
    "css/components/deciding.css",
    "css/print.css",
)
FOR_EVER = "public, max-age=31536000, immutable"


@cache
def version() -> str:
    """Name the content of the whole folder: modules and sheets that import each other change together."""
    digest = hashlib.sha256()
    for path in sorted(FOLDER.rglob("*")):
        if path.is_file():
            digest.update(path.relative_to(FOLDER).as_posix().encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:12]


@cache
def static(path: str) -> str:
    """Return the address of a file of the folder; one that is not there is a mistake in a template."""
    if not (FOLDER / path).is_file():
        raise FileNotFoundError(f"There is no file {path} under {FOLDER.name}.")
    return f"{MOUNT}/{version()}/{path}"


class Assets(StaticFiles):
    """The folder, to be mounted at `MOUNT`; what is asked for by its present content may be kept for ever."""

    def __init__(self) -> None:
        super().__init__(directory=FOLDER)

    async def get_response(self, path: str, scope: Scope) -> Response:
        """Answer with a file; the first part of the path names the content and may be an older one."""
        named, _, rest = path.partition("/")
        response = await super().get_response(rest, scope)
        response.headers["Cache-Control"] = FOR_EVER if named == version() else "no-cache"
        return response
