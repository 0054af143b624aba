"""Reading the properties of an RDF/XML packet, as XMP and SVGs carry it, without trusting it."""

import codecs
import re
from collections.abc import Iterator
from xml.etree import ElementTree

LARGEST = 1_000_000  # bytes of a packet that are looked at
RDF = "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}"
SPACES = {
    "http://purl.org/dc/elements/1.1/": "dc",
    "http://ns.adobe.com/xap/1.0/rights/": "xmpRights",
    "http://creativecommons.org/ns#": "cc",
    "http://web.resource.org/cc/": "cc",
    "http://ns.adobe.com/photoshop/1.0/": "photoshop",
    "http://ns.useplus.org/ldf/xmp/1.0/": "plus",
    "http://iptc.org/std/Iptc4xmpExt/2008-02-29/": "Iptc4xmpExt",
    "http://www.w3.org/ns/tdmrep/": "tdm",
    "http://www.w3.org/ns/tdmrep#": "tdm",
}
BEGINS, ENDS = re.compile(r"<(?:\w{1,20}:)?RDF[\s>]"), re.compile(r"</(?:\w{1,20}:)?RDF\s{0,9}>")
DECLARES = re.compile(r"<!\s*(?:DOCTYPE|ENTITY)", re.IGNORECASE)


def read_properties(data: bytes | str) -> dict[str, list[str]]:
    """Values by property ("dc:creator") of the RDF in a packet; nothing from one that is broken or declares entities.

    Namespaces that the packet's surroundings declare are known by it as well.
    """
    if len(data) > LARGEST * 20:
        return {}
    text = data if isinstance(data, str) else _decoded(data)
    begins = BEGINS.search(text)
    ends = ENDS.search(text, begins.end()) if begins else None
    if begins is None or ends is None or ends.end() - begins.start() > LARGEST:
        return {}
    packet = text[begins.start() : ends.end()]
    if DECLARES.search(packet):
        return {}
    declared = dict(re.findall(r"xmlns:(\w+)\s*=\s*[\"']([^\"'<>&]*)[\"']", text[: begins.start()][-50_000:]))
    around = "".join(f' xmlns:{prefix}="{space}"' for prefix, space in declared.items())
    try:
        root = ElementTree.fromstring(f"<packet{around}>{packet}</packet>")
    except (ElementTree.ParseError, ValueError, RecursionError):
        return {}
    found: dict[str, list[str]] = {}
    for part in (part for rdf in root for part in rdf):
        for place, value in part.attrib.items():
            _keep(found, place, [value])
        for child in part:
            _keep(found, child.tag, list(_values(child)))
    return found


def _decoded(data: bytes) -> str:
    wide = data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    return data.decode("utf-16" if wide else "utf-8-sig", "replace")


def _keep(found: dict[str, list[str]], place: str, values: list[str]) -> None:
    space, _, name = place.removeprefix("{").partition("}")
    known = SPACES.get(space)
    said = [value for value in values if value.strip()]
    if known and said:
        found.setdefault(f"{known}:{name}", []).extend(said)


def _values(part: ElementTree.Element) -> Iterator[str]:
    """What a property says: a reference, the members of a list, or its own words; of an agent, its title."""
    if f"{RDF}resource" in part.attrib:
        yield part.attrib[f"{RDF}resource"]
        return
    members = [one for one in part.iter(f"{RDF}li")]
    if members:
        seen = set()
        for one in members:
            text = one.attrib.get(f"{RDF}resource") or "".join(one.itertext())
            if text not in seen:
                seen.add(text)
                yield text
        return
    yield "".join(part.itertext())
