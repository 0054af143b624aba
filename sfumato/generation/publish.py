"""The one way out: marks, text and credentials, in the order in which each survives the next."""

import hashlib
import io
import os
import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image as Picture
from PIL.PngImagePlugin import PngInfo

from sfumato.actions import Act, Workspace, action
from sfumato.db import link, new_id
from sfumato.errors import InvalidInput
from sfumato.generation.metadata import Facts, infotext, manifest, own_chunk, xmp
from sfumato.generation.records import Published
from sfumato.store.files import write_whole
from sfumato.trust.credentials import sign
from sfumato.trust.keys import workspace_keys

HEX = re.compile(r"#[0-9a-fA-F]{6}")


@dataclass(frozen=True)
class PublishedView:
    """A picture that left: where it lies and what it is."""

    id: str
    image_id: str
    path: Path
    sha256: str
    seed: int


def publish(workspace: Workspace, picture: np.ndarray, facts: Facts, folder: Path, stem: str) -> PublishedView:
    """Let a picture (H, W, 4) uint8 of straight alpha out into a folder; raises NoSpace with nothing half-written."""
    data = published_bytes(workspace, picture, facts)
    sha256 = workspace.store.put(data)
    path = _free_place(folder, stem)
    write_whole(path, data)
    return _write_row(workspace, facts=facts, sha256=sha256, path=path)


def published_bytes(workspace: Workspace, picture: np.ndarray, facts: Facts) -> bytes:
    """Ground, text chunks, XMP, and credentials last."""
    grounded = on_ground(picture, facts.background)
    info = PngInfo()
    add = info.add_text if infotext(facts).isascii() else info.add_itxt
    add("parameters", infotext(facts))
    info.add_itxt("sfumato", own_chunk(facts))
    info.add_itxt("XML:com.adobe.xmp", xmp(facts))
    out = io.BytesIO()
    Picture.fromarray(grounded).save(out, "PNG", pnginfo=info)
    salted = hashlib.sha256(f"{facts.image_id}:{facts.prompt}".encode()).hexdigest() if facts.prompt else ""
    return sign(out.getvalue(), "image/png", manifest(facts, salted), workspace_keys(workspace.path / "keys"))


def on_ground(picture: np.ndarray, background: str) -> np.ndarray:
    """Lay (H, W, 4) on a colour, giving (H, W, 3), or leave it transparent; raises InvalidInput."""
    if background == "transparent":
        return picture
    colour = "#ffffff" if background == "white" else background
    if not HEX.fullmatch(colour):
        raise InvalidInput(
            f"The background cannot be '{background}'.", hint="Use white, transparent, or a colour such as #ffcc00."
        )
    ground = np.array([int(colour[place : place + 2], 16) for place in (1, 3, 5)], np.float32)
    alpha = picture[..., 3:].astype(np.float32) / 255
    return (picture[..., :3] * alpha + ground * (1 - alpha) + 0.5).astype(np.uint8)


def _free_place(folder: Path, stem: str) -> Path:
    """A name that no file has; made at once, so that two writers never meet."""
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(1, 100_000):
        path = folder / (f"{stem}.png" if number == 1 else f"{stem}-{number}.png")
        try:
            os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o644))
        except FileExistsError:
            continue
        return path
    raise InvalidInput(f"{folder} holds too many pictures called {stem}.", hint="Name another folder.")


@action("image.publish", needs="image.publish", doors=("library",))
def _write_row(act: Act, *, facts: Facts, sha256: str, path: Path) -> PublishedView:
    """Let a picture out, marked and signed."""
    row = Published(
        id=new_id(), made_by=act.actor.id, image_id=facts.image_id, sha256=sha256, file_name=path.name,
        mime="image/png", background=facts.background,
    )  # fmt: skip
    act.session.add(row)
    link(act.session, row.ref, f"image/{facts.image_id}", "published from")
    act.says(f"published {path.name}", subject=row.ref)
    return PublishedView(row.id, facts.image_id, path, sha256, facts.seed)
