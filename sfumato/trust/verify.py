"""Verifying a picture file: whether its Content Credentials hold, who signed, and what was claimed of it."""

import zlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sfumato.actions import Act, query
from sfumato.errors import InvalidInput, NotFound
from sfumato.trust.credentials import Credentials, State, read
from sfumato.trust.keys import anchors, keys_folder

GENERATION = "org.sfumato.generation"
ACTIONS = ("c2pa.actions.v2", "c2pa.actions")
LARGEST = 500_000_000
PNG = b"\x89PNG\r\n\x1a\n"
KINDS = (
    (PNG[:4], "image/png"), (b"\xff\xd8\xff", "image/jpeg"), (b"GIF8", "image/gif"),
    (b"II*\0", "image/tiff"), (b"MM\0*", "image/tiff"),
)  # fmt: skip
FAULTS = {
    "assertion.dataHash.mismatch": "it was changed after it was signed",
    "assertion.hashedURI.mismatch": "what its credentials claim was changed",
    "claimSignature.mismatch": "the signature does not fit the claims",
    "signingCredential.expired": "the certificate has run out",
    "signingCredential.invalid": "the certificate is not fit for signing",
}


@dataclass(frozen=True)
class Verified:
    """What verifying found; `claims` is what the signer said of how the picture was generated."""

    path: Path
    state: State
    words: str
    signer: str = ""
    when: str = ""
    model: str = ""
    request: str = ""
    image: str = ""
    prompt: str = ""
    claims: dict[str, Any] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)


@query("image.verify")
def verify(act: Act, path: str | Path) -> Verified:
    """Say whether a picture's credentials hold and who signed it; raises NotFound or InvalidInput for no picture."""
    file = Path(path).expanduser()
    data, mime = read_picture(file)
    found = check(data, mime, anchors(keys_folder(act.workspace)))
    claims = found.claims.get(GENERATION, {})
    told = {name: str(claims.get(name, "")) for name in ("model", "request", "image", "prompt")}
    when = _when(found.claims)
    words = _words(file.name, found, told, when, marked=b"sfumato\0" in data)
    return Verified(file, found.state, words, found.signer, when, **told, claims=claims, problems=found.problems)


def check(data: bytes, mime: str, known: bytes) -> Credentials:
    """A picture's credentials against the roots that are `known`, and whether its chunks are whole."""
    found = read(data, mime, known)
    broken = broken_chunk(data) if mime == "image/png" else ""
    if broken and (found.state != "unsigned" or b"c2pa" in data):
        return Credentials("invalid", found.signer, found.claims, [*found.problems, broken])
    return found


def read_picture(path: Path) -> tuple[bytes, str]:
    """A file's bytes and their MIME type by what they begin with; raises NotFound, or InvalidInput in words."""
    try:
        if path.is_dir():
            raise InvalidInput(f"{path} is a folder.", hint="Name the files in it.")
        if path.stat().st_size > LARGEST:
            raise InvalidInput(f"{path} is too large to be looked at: {path.stat().st_size:,} bytes.")
        data = path.read_bytes()
    except FileNotFoundError as missing:
        raise NotFound(f"There is no file {path}.") from missing
    except OSError as problem:
        raise InvalidInput(f"{path} cannot be read: {problem.strerror}.") from problem
    if not data:
        raise InvalidInput(f"{path} is empty.")
    mime = next((mime for start, mime in KINDS if data.startswith(start)), "")
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        mime = "image/webp"
    elif data[4:12] in (b"ftypavif", b"ftypheic"):
        mime = f"image/{data[8:12].decode()}"
    if not mime:
        raise InvalidInput(f"{path} is not a picture.", hint="PNG, JPEG, WebP, AVIF, HEIC, TIFF and GIF are read.")
    return data, mime


def broken_chunk(data: bytes) -> str:
    """What is wrong with a PNG's chunks, "" if nothing.

    C2PA leaves out the bytes of its own chunk from its hash, some of them padding; their checksum covers them.
    """
    place = len(PNG)
    if data[:place] != PNG:
        return "png.signature.damaged"
    while place < len(data):
        length = int.from_bytes(data[place : place + 4], "big")
        end = place + 8 + length
        kind = data[place + 4 : place + 8]
        if end + 4 > len(data) or zlib.crc32(data[place + 4 : end]) != int.from_bytes(data[end : end + 4], "big"):
            return f"png.{kind.decode('latin-1')}.damaged" if kind.isalpha() else "png.chunk.damaged"
        place = end + 4
        if kind == b"IEND":
            return "" if place == len(data) else "png.bytes-after-the-end"
    return "png.end.missing"


def _when(claims: dict[str, Any]) -> str:
    for label in ACTIONS:
        for entry in claims.get(label, {}).get("actions", []):
            if entry.get("when"):
                return str(entry["when"])
    return ""


def _words(name: str, found: Credentials, told: dict[str, str], when: str, *, marked: bool) -> str:
    """What was found, in a sentence or two."""
    made = f"drawn by {told['model']}" if told["model"] else "signed"
    made += f" on {when[:10]}" if when else ""
    if found.state == "signed here":
        return f"{name}: valid, signed here, unedited since. It was {made}."
    if found.state == "signer unknown here":
        claimed = f"It claims to be {made}, signed by '{found.signer or 'nobody'}'."
        return f"{name}: valid and unedited since it was signed, but this workspace does not know the signer. {claimed}"
    if found.state == "invalid":
        reason = next((FAULTS[problem] for problem in found.problems if problem in FAULTS), "it is damaged")
        return f"{name}: invalid, {reason}. What its credentials say of it no longer counts."
    gone = " Its text says that Sfumato made it, so its credentials were lost when it was saved anew." if marked else ""
    return f"{name}: unsigned, nothing vouches for how it was made.{gone}"
