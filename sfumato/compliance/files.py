"""Reading a picture file for what it proves and what it merely claims."""

import hashlib
import io
import json
import math
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from PIL import Image, UnidentifiedImageError

from sfumato.data.pictures import Unusable, open_picture
from sfumato.trust.credentials import Credentials
from sfumato.trust.verify import GENERATION, check, read_picture

LONGEST = 2_000
# How the signed assertion calls what the text chunk says too.
SAME = {"request": "request_id", "image": "image_id", "data_sha256": "data_hash"}
WORDS = {"request_id", "image_id", "prompt", "sampler", "model", "checkpoint_sha256", "data_hash", "background"}
NUMBERS = {"seed", "steps", "guidance", "width", "height"}


@dataclass(frozen=True)
class PictureFile:
    """A picture file: its bytes, who signed them if anybody did, and what the file says of itself."""

    path: Path
    data: bytes = field(repr=False)
    sha256: str
    credentials: Credentials
    claims: dict[str, Any]

    @property
    def proven(self) -> bool:
        """Whether a signature covers what the file says; by whom is another question."""
        return self.credentials.state in ("signed here", "signer unknown here")


def read_file(path: Path, known: bytes) -> PictureFile:
    """Read a picture file, its signature against the roots that are `known`; raises NotFound or InvalidInput."""
    data, mime = read_picture(path)
    found = check(data, mime, known)
    found = replace(found, signer=printable(found.signer))
    return PictureFile(path, data, hashlib.sha256(data).hexdigest(), found, _claims(data, mime, found))


def _claims(data: bytes, mime: str, found: Credentials) -> dict[str, Any]:
    """What the file says of itself: its text chunk, and what was signed, which counts for more."""
    signed = found.claims.get(GENERATION)
    said = _chunk(data) if mime == "image/png" else {}
    if isinstance(signed, dict):
        said |= {SAME.get(str(name), str(name)): value for name, value in signed.items()}
    return {name: value for name, value in ((name, _tame(name, value)) for name, value in said.items()) if value != ""}


def _chunk(data: bytes) -> dict[str, Any]:
    try:
        with Image.open(io.BytesIO(data)) as picture:
            said = json.loads(picture.info.get("sfumato", ""))
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError, RecursionError, Image.DecompressionBombError):
        return {}
    return said if isinstance(said, dict) else {}


def _tame(name: str, value: Any) -> Any:
    """A claim as it may be shown: of the right kind, and without what would steer a terminal; else ""."""
    if name in NUMBERS:
        try:
            number = float(value)
        except (TypeError, ValueError):
            return ""
        if not math.isfinite(number):
            return ""
        return int(number) if number.is_integer() else number
    if name not in WORDS or not isinstance(value, str):
        return ""
    return printable(value)


def printable(text: str) -> str:
    """A stranger's text without what would steer a terminal, and not longer than a prompt may be."""
    return "".join(letter for letter in text[:LONGEST] if letter.isprintable())


def pixels(data: bytes, max_pixels: int) -> Image.Image | None:
    """The picture as RGBA, or None when it cannot be decoded."""
    try:
        return open_picture(data, max_pixels)
    except Unusable:
        return None
