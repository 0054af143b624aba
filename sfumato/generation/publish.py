"""The one way out: marks, text and credentials, in the order in which each survives the next."""

import errno
import io
import os
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

import numpy as np
from PIL import Image as Picture
from PIL.PngImagePlugin import PngInfo
from sqlalchemy.orm import Session

from sfumato.actions import Act, Workspace, action
from sfumato.db import link, new_id
from sfumato.errors import InvalidInput
from sfumato.generation.metadata import Facts, infotext, manifest, own_chunk, xmp
from sfumato.generation.records import Image, Published
from sfumato.store.files import write_whole
from sfumato.trust.credentials import sign
from sfumato.trust.keys import workspace_keys

HEX = re.compile(r"#[0-9a-fA-F]{6}")
NO_LINKS = (errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.EMLINK, errno.ENOSYS)


@dataclass(frozen=True)
class PublishedView:
    """A picture that left: where it lies and what it is."""

    id: str
    image_id: str
    path: Path
    sha256: str
    seed: int


def publish(
    workspace: Workspace,
    picture: np.ndarray,
    facts: Facts,
    folder: Path,
    stem: str,
    hold: Callable[[Session], None] | None = None,
) -> PublishedView:
    """Let a picture (H, W, 4) uint8 of straight alpha out into a folder as STEM.png, or STEM-2.png if that is there.

    The bytes are kept first, then laid into the folder unseen, then the row is written (`hold` may refuse it
    there), and last they get their name, which needs no more room. Raises NoSpace with nothing half-written.
    """
    data = published_bytes(workspace, picture, facts)
    sha256 = workspace.store.put(data)
    draft = folder / f".draft-{facts.image_id}"
    write_whole(draft, data)
    try:
        name = next(name for name in names(stem) if not (folder / name).exists())
        view = _write_row(workspace, facts=facts, sha256=sha256, path=folder / name, hold=hold)
        placed = place(draft, stem, first=name)
        return view if placed == view.path else _rename(workspace, view=view, path=placed)
    finally:
        draft.unlink(missing_ok=True)


def place_again(workspace: Workspace, view: PublishedView) -> PublishedView:
    """Lay a picture that was published where it belongs, if a crash came between its row and its name."""
    draft = view.path.with_name(f".draft-{view.image_id}")
    if not view.path.exists():
        write_whole(draft, workspace.store.get(view.sha256))
        place(draft, view.path.stem, first=view.path.name)
    draft.unlink(missing_ok=True)
    return view


def names(stem: str) -> Iterator[str]:
    """File names to try, one after the other."""
    yield f"{stem}.png"
    yield from (f"{stem}-{number}.png" for number in range(2, 100_000))
    raise InvalidInput(f"There are too many pictures called {stem} in the folder.", hint="Name another folder.")


def place(draft: Path, stem: str, *, first: str) -> Path:
    """Give a draft the first name that no file has, and never one that has it; returns where it lies now."""
    for name in chain([first], names(stem)):
        path = draft.with_name(name)
        try:
            os.link(draft, path)
            return path
        except FileExistsError:
            continue
        except OSError as problem:
            if problem.errno not in NO_LINKS:
                raise
        try:  # a file system without links: take the name, then put the draft in its place
            os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o644))
        except FileExistsError:
            continue
        os.replace(draft, path)
        return path
    raise AssertionError("names() raises before it runs out")


def published_bytes(workspace: Workspace, picture: np.ndarray, facts: Facts) -> bytes:
    """Ground, text chunks, XMP, and credentials last."""
    info = PngInfo()
    text = infotext(facts)
    add = info.add_text if text.isascii() else info.add_itxt
    add("parameters", text)
    info.add_itxt("sfumato", own_chunk(facts))
    info.add_itxt("XML:com.adobe.xmp", xmp(facts))
    out = io.BytesIO()
    Picture.fromarray(on_ground(picture, facts.background)).save(out, "PNG", pnginfo=info)
    return sign(out.getvalue(), "image/png", manifest(facts), workspace_keys(workspace.path / "keys"))


def check_background(background: str) -> str:
    """The background as it is kept; raises InvalidInput unless it is white, transparent or a colour as #rrggbb."""
    if background not in ("white", "transparent") and not HEX.fullmatch(background):
        raise InvalidInput(
            f"The background cannot be '{background}'.", hint="Use white, transparent, or a colour such as #ffcc00."
        )
    return background


def on_ground(picture: np.ndarray, background: str) -> np.ndarray:
    """Lay (H, W, 4) on a colour, giving (H, W, 3), or leave it transparent; raises InvalidInput."""
    if check_background(background) == "transparent":
        return picture
    colour = "#ffffff" if background == "white" else background
    ground = np.array([int(colour[at : at + 2], 16) for at in (1, 3, 5)], np.float32)
    alpha = picture[..., 3:].astype(np.float32) / 255
    return (picture[..., :3] * alpha + ground * (1 - alpha) + 0.5).astype(np.uint8)


@action("image.publish", needs="image.publish", doors=())
def _write_row(
    act: Act, *, facts: Facts, sha256: str, path: Path, hold: Callable[[Session], None] | None
) -> PublishedView:
    """Let a picture out, marked and signed."""
    if hold is not None:
        hold(act.session)
    image = act.session.get(Image, facts.image_id)
    row = Published(
        id=new_id(), made_by=act.actor.id, image_id=facts.image_id, sha256=sha256, file_name=path.name,
        mime="image/png", background=facts.background, private_to=image.private_to if image else "",
    )  # fmt: skip
    act.session.add(row)
    link(act.session, row.ref, f"image/{facts.image_id}", "published from")
    act.says(f"signed and saved {path.name}", subject=row.ref, private=bool(row.private_to))
    return PublishedView(row.id, facts.image_id, path, sha256, facts.seed)


def _rename(workspace: Workspace, *, view: PublishedView, path: Path) -> PublishedView:
    """Keep the name that a picture got because somebody else took the one it was to have."""
    with workspace.write() as session:
        row = session.get_one(Published, view.id)
        row.file_name = path.name
    return PublishedView(view.id, view.image_id, path, view.sha256, view.seed)
