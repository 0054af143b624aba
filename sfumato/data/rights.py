"""What a picture's own file says of its maker, its rights and what may be done with it: EXIF, IPTC, XMP and C2PA.

Nothing here is believed without saying where it stands: each statement is kept as evidence with its place.
"""

import re
from dataclasses import dataclass, field, replace
from typing import Any

from PIL import Image, IptcImagePlugin

from sfumato.data.claims import read_mining
from sfumato.data.found import Found
from sfumato.data.xmp import read_properties

TEXT, WORDS, WORD = 2_000, 100, 120  # letters of a statement; keywords, and letters of each
EXIF = {0x013B: "creator", 0x8298: "copyright", 0x010E: "caption"}
WINDOWS = {0x9C9B: "title", 0x9C9D: "creator", 0x9C9E: "keywords"}  # as UTF-16
IPTC = {
    (2, 5): "title", (2, 25): "keywords", (2, 80): "creator", (2, 110): "credit", (2, 116): "copyright",
    (2, 120): "caption",
}  # fmt: skip
XMP = {
    "dc:creator": "creator", "cc:attributionName": "creator", "dc:subject": "keywords", "dc:title": "title",
    "dc:description": "caption", "dc:rights": "copyright", "xmpRights:UsageTerms": "usage terms",
    "cc:license": "licence", "xmpRights:WebStatement": "rights page", "xmpRights:Marked": "copyrighted",
    "photoshop:Credit": "credit", "plus:DataMining": "data mining", "tdm:reservation": "tdm-reservation",
    "tdm:policy": "tdm-policy", "Iptc4xmpExt:DigitalSourceType": "digital source type",
}  # fmt: skip
CREATIVE_COMMONS = re.compile(
    r"https?://(?:www\.)?creativecommons\.org/(?:licenses|publicdomain)/(zero|mark|publicdomain|[a-z]{2}(?:-[a-z]{2})*)"
    r"(?:/(\d\.\d))?(?:[/?#\s\"'<>.,;)]|$)",
    re.IGNORECASE,
)
PUBLIC_DOMAIN = re.compile(r"https?://(?:web\.resource\.org/cc/|creativecommons\.org/ns#)PublicDomain", re.IGNORECASE)
GNU = re.compile(r"https?://(?:www\.)?creativecommons\.org/licenses/(L?GPL)/(\d\.\d)", re.IGNORECASE)
OF_CREATIVE_COMMONS = {"by", "by-sa", "by-nd", "by-nc", "by-nc-sa", "by-nc-nd"}


@dataclass(frozen=True)
class Told:
    """Statements by name, each with where it stands, and what follows from them."""

    evidence: dict[str, dict[str, Any]] = field(default_factory=dict)
    licence: str = ""
    opt_out: str = ""

    def text(self, name: str) -> str:
        """A statement on one line; "" if there is none."""
        value = self.evidence.get(name, {}).get("value", "")
        return "; ".join(value) if isinstance(value, list) else str(value)


NOTHING = Told()


def read_rights(data: bytes, picture: Image.Image | None) -> Told:
    """Read what a file says of itself; `picture` is what Pillow opened, None for an SVG. Broken parts say nothing."""
    evidence: dict[str, dict[str, Any]] = {}
    if picture is not None:
        info = picture.info
        if "exif" in info or "Raw profile type exif" in info:
            _add(evidence, _exif(picture), "EXIF")
        if "photoshop" in info or "iptc" in info:
            _add(evidence, _iptc(picture), "IPTC")
        xmp = info.get("xmp") or info.get("XML:com.adobe.xmp")
        if xmp:
            _add(evidence, _xmp(xmp), "XMP")
    elif b"rdf" in data[:200_000].lower():
        _add(evidence, _xmp(data), "RDF")
    mining = read_mining(data) if b"c2pa" in data or b"cawg" in data else {}
    if mining:
        _add(evidence, {"training-mining": [f"{name}: {use}" for name, use in mining.items()]}, "C2PA, not verified")
    return Told(evidence, _licence(evidence), _opt_out(evidence, mining)) if evidence else NOTHING


def with_rights(found: Found, told: Told) -> Found:
    """The picture with what its file says kept as evidence, which fills in only what its source left open."""
    if not told.evidence:
        return found
    words = told.evidence.get("keywords", {}).get("value", [])
    return replace(
        found,
        evidence=found.evidence | told.evidence,
        author=found.author or told.text("creator")[:200],
        tags=found.tags or (words if isinstance(words, list) else [words]),
        licence=told.licence if told.licence and found.licence in ("", "NOASSERTION") else found.licence,
        opt_out=found.opt_out or told.opt_out,
    )


def licence_of(address: str) -> str:
    """The SPDX name of the licence that a text points to by an address of Creative Commons; "" if there is none."""
    if PUBLIC_DOMAIN.search(address):
        return "CC-PDDC"
    gnu = GNU.search(address)
    if gnu:
        return f"{gnu[1].upper()}-{gnu[2]}-only"
    found = CREATIVE_COMMONS.search(address)
    if found is None:
        return ""
    kind, version = found[1].lower(), found[2] or ""
    if kind == "zero":
        return "CC0-1.0"
    if kind in ("mark", "publicdomain"):
        return "CC-PDM-1.0" if kind == "mark" else "CC-PDDC"
    return f"CC-{kind.upper()}-{version}" if kind in OF_CREATIVE_COMMONS and version else ""


def _licence(evidence: dict[str, dict[str, Any]]) -> str:
    for name in ("licence", "usage terms", "rights page", "copyright"):
        value = evidence.get(name, {}).get("value", "")
        found = licence_of("; ".join(value) if isinstance(value, list) else value)
        if found:
            return found
    return ""


def _opt_out(evidence: dict[str, dict[str, Any]], mining: dict[str, str]) -> str:
    """The signal by which a file asks not to be learnt from, as it has it."""
    said = str(evidence.get("data mining", {}).get("value", "")).rpartition("/")[2]
    if said.startswith("DMI-PROHIBITED"):
        return f"plus:DataMining {said}"[:60]
    if str(evidence.get("tdm-reservation", {}).get("value", "")) == "1":
        return "tdm-reservation 1"
    refused = [name for name, use in mining.items() if use != "allowed" and ("training" in name or "mining" in name)]
    return f"{refused[0]} {mining[refused[0]]}"[:60] if refused else ""


def _add(evidence: dict[str, dict[str, Any]], said: dict[str, list[str]], place: str) -> None:
    """Keep what is said by its name; what another place says otherwise stands beside it."""
    for name, values in said.items():
        lines = [" ".join(value.replace("\0", " ").split())[:TEXT] for value in values[:WORDS]]
        lines = [line for line in dict.fromkeys(lines) if line]
        if not lines:
            continue
        value: Any = [line[:WORD] for line in lines] if name == "keywords" else "; ".join(lines)[:TEXT]
        first = evidence.setdefault(name, {"value": value, "found": place})
        if first["value"] != value:
            first.setdefault("also", []).append({"value": value, "found": place})


def _exif(picture: Image.Image) -> dict[str, list[str]]:
    try:
        fields = picture.getexif()
        said = {name: [_text(fields[tag])] for tag, name in EXIF.items() if tag in fields}
        for tag, name in WINDOWS.items():
            if isinstance(fields.get(tag), bytes):
                text = fields[tag].decode("utf-16-le", "ignore").rstrip("\0")
                said.setdefault(name, []).extend(text.split(";") if name == "keywords" else [text])
    except Exception:  # whatever a decoder stumbles over, it is the file's fault
        return {}
    return said


def _iptc(picture: Any) -> dict[str, list[str]]:
    try:
        fields = IptcImagePlugin.getiptcinfo(picture) or {}
    except Exception:  # whatever a decoder stumbles over, it is the file's fault
        return {}
    said = {}
    for place, name in IPTC.items():
        values = fields.get(place)
        if values:
            said[name] = [_text(value) for value in (values if isinstance(values, list) else [values])]
    return said


def _xmp(data: bytes | str) -> dict[str, list[str]]:
    said: dict[str, list[str]] = {}
    for place, values in read_properties(data).items():
        if place in XMP:
            said.setdefault(XMP[place], []).extend(values)
    return said


def _text(value: Any) -> str:
    if isinstance(value, bytes):
        try:
            return value.decode("utf-8")
        except UnicodeDecodeError:
            return value.decode("latin-1")
    return str(value)
