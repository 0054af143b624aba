"""What a file says of its maker and its rights is kept with its place, fills in what the source left open, no more."""

import io
import json
import struct
import time
import zlib

import pytest
from PIL import Image, PngImagePlugin
from sqlalchemy import select

from sfumato.data.claims import decode_cbor, read_mining
from sfumato.data.records import Item
from sfumato.data.rights import licence_of, read_rights
from sfumato.data.xmp import read_properties
from tests.data.made_pictures import picture

PACKET = """<?xpacket begin='' id='W5M0MpCehiHzreSzNTczkc9d'?><x:xmpmeta xmlns:x='adobe:ns:meta/'>
<rdf:RDF xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#'><rdf:Description rdf:about=''
 xmlns:dc='http://purl.org/dc/elements/1.1/' xmlns:xmpRights='http://ns.adobe.com/xap/1.0/rights/'
 xmlns:plus='http://ns.useplus.org/ldf/xmp/1.0/' xmlns:cc='http://creativecommons.org/ns#'
 xmlns:tdm='http://www.w3.org/ns/tdmrep/' xmlns:Iptc4xmpExt='http://iptc.org/std/Iptc4xmpExt/2008-02-29/' {attributes}>
 <dc:creator><rdf:Seq><rdf:li>Ada Larsen</rdf:li></rdf:Seq></dc:creator>
 <dc:subject><rdf:Bag><rdf:li>boat</rdf:li><rdf:li>sea</rdf:li></rdf:Bag></dc:subject>
 <dc:rights><rdf:Alt><rdf:li xml:lang='x-default'>© 2024 Ada Larsen</rdf:li></rdf:Alt></dc:rights>{more}
</rdf:Description></rdf:RDF></x:xmpmeta><?xpacket end='w'?>"""


def xmp(more="", attributes=""):
    return PACKET.format(more=more, attributes=attributes)


def jpeg(packet="", exif=None, iptc=b""):
    out = io.BytesIO()
    picture().convert("RGB").save(out, "JPEG", xmp=packet.encode(), **({"exif": exif} if exif else {}))
    data = out.getvalue()
    if iptc:
        block = b"Photoshop 3.0\0" + b"8BIM\x04\x04\0\0" + struct.pack(">I", len(iptc)) + iptc + b"\0" * (len(iptc) % 2)
        data = data[:2] + b"\xff\xed" + struct.pack(">H", len(block) + 2) + block + data[2:]
    return data


def png(packet):
    told = PngImagePlugin.PngInfo()
    told.add_itxt("XML:com.adobe.xmp", packet)
    out = io.BytesIO()
    picture().save(out, "PNG", pnginfo=told)
    return out.getvalue()


def field(number, text):
    data = text if isinstance(text, bytes) else text.encode()
    return b"\x1c\x02" + bytes([number]) + struct.pack(">H", len(data)) + data


def told(data):
    with Image.open(io.BytesIO(data)) as opened:
        opened.load()
        return read_rights(data, opened)


@pytest.mark.parametrize("make", [jpeg, png])
def test_xmp_says_who_and_under_what(make):
    found = told(make(xmp("<cc:license rdf:resource='https://creativecommons.org/licenses/by-sa/4.0/'/>")))
    assert found.evidence["creator"] == {"value": "Ada Larsen", "found": "XMP"}
    assert found.evidence["keywords"]["value"] == ["boat", "sea"]
    assert found.evidence["copyright"]["value"] == "© 2024 Ada Larsen"
    assert (found.licence, found.opt_out) == ("CC-BY-SA-4.0", "")


def test_exif_and_iptc_say_it_as_well_and_differences_stand_side_by_side():
    exif = Image.Exif()
    exif[0x013B], exif[0x8298] = "A. Larsen", "(c) CC BY: http://creativecommons.org/licenses/by/3.0/"
    exif[0x9C9E] = "mole;pier".encode("utf-16-le") + b"\0\0"
    fields = field(80, "Larsen/NTB") + field(25, "boat") + field(25, "sea") + field(120, b"\xe5")
    found = told(jpeg(xmp(), exif, fields))
    assert found.evidence["creator"]["value"] == "A. Larsen"
    assert [one["found"] for one in found.evidence["creator"]["also"]] == ["IPTC", "XMP"]
    assert found.evidence["keywords"] == {
        "value": ["mole", "pier"], "found": "EXIF",
        "also": [{"value": ["boat", "sea"], "found": "IPTC"}, {"value": ["boat", "sea"], "found": "XMP"}],
    }  # fmt: skip
    assert found.evidence["caption"]["value"] == "å"
    assert found.licence == "CC-BY-3.0"


@pytest.mark.parametrize(("more", "attributes", "said"), [
    ("", "plus:DataMining='http://ns.useplus.org/ldf/vocab/DMI-PROHIBITED-AIMLTRAINING'",
     "plus:DataMining DMI-PROHIBITED-AIMLTRAINING"),
    ("<plus:DataMining>DMI-PROHIBITED</plus:DataMining>", "", "plus:DataMining DMI-PROHIBITED"),
    ("<plus:DataMining>DMI-ALLOWED</plus:DataMining>", "", ""),
    ("<tdm:reservation>1</tdm:reservation>", "", "tdm-reservation 1"),
    ("<tdm:reservation>0</tdm:reservation>", "", ""),
])  # fmt: skip
def test_a_wish_not_to_be_learnt_from_is_read_as_it_stands(more, attributes, said):
    assert told(jpeg(xmp(more, attributes))).opt_out == said


@pytest.mark.parametrize(("address", "spdx"), [
    ("https://creativecommons.org/publicdomain/zero/1.0/", "CC0-1.0"),
    ("http://creativecommons.org/licenses/by-nc-nd/4.0/legalcode.de", "CC-BY-NC-ND-4.0"),
    ("see https://creativecommons.org/publicdomain/mark/1.0.", "CC-PDM-1.0"),
    ("http://web.resource.org/cc/PublicDomain", "CC-PDDC"),
    ("http://creativecommons.org/licenses/GPL/2.0/", "GPL-2.0-only"),
    ("https://creativecommons.org/licenses/by/", ""), ("https://evil.example/licenses/by/4.0/", ""), ("", ""),
])  # fmt: skip
def test_addresses_of_licences_have_spdx_names(address, spdx):
    assert licence_of(address) == spdx


def test_what_the_source_says_counts_and_the_file_fills_in_the_rest(workspace, tmp_path, collect):
    data = jpeg(xmp("<cc:license rdf:resource='https://creativecommons.org/licenses/by/4.0/'/>"
                    "<tdm:reservation>1</tdm:reservation>"))  # fmt: skip
    for name in ("silent", "said"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "boat.jpg").write_bytes(data)
    (tmp_path / "said" / "metadata.jsonl").write_text(
        json.dumps({"file_name": "boat.jpg", "license": "MIT", "author": "Bo", "tags": ["ship"]})
    )
    collect(path=str(tmp_path / "silent"))
    collect(path=str(tmp_path / "said"))
    with workspace.read() as session:
        said, silent = session.scalars(select(Item).order_by(Item.source)).all()
    assert (silent.licence, silent.author, silent.tags) == ("CC-BY-4.0", "Ada Larsen", ["boat", "sea"])
    assert (said.licence, said.author, said.tags) == ("MIT", "Bo", ["ship"])
    assert said.evidence["creator"] == {"value": "Ada Larsen", "found": "XMP"}
    assert said.opt_out == silent.opt_out == "tdm-reservation 1"
    assert said.state == "kept", "a wish is marked; a person decides"
    collect(path=str(tmp_path / "said"))
    assert collect.result["say"].startswith("Nothing changed")


BOMB = "<!DOCTYPE a [<!ENTITY a 'aaaaaaaaaa'>" + "".join(
    f"<!ENTITY {chr(98 + n)} '{f'&{chr(97 + n)};' * 10}'>" for n in range(9)
) + "]>"  # fmt: skip


@pytest.mark.parametrize("packet", [
    BOMB + xmp("<dc:title>&j;</dc:title>"), xmp("<dc:title>&j;</dc:title>"), xmp("<dc:title>"), "<rdf:RDF>" * 5_000,
    xmp("<dc:title>" + "<x>" * 20_000 + "</x>" * 20_000 + "</dc:title>"), xmp("x" * 2_000_000), "\0\xff", "<",
])  # fmt: skip
def test_a_hostile_packet_says_nothing_and_costs_nothing(packet):
    began = time.process_time()
    read_properties(packet)
    read_properties(packet.encode("utf-16"))
    found = read_rights(packet.encode(), None)
    assert time.process_time() - began < 2
    assert "aaaa" not in json.dumps(found.evidence)


def test_evidence_is_bounded():
    found = told(png(xmp(f"<dc:title>{'long ' * 20_000}</dc:title>")))
    assert len(json.dumps(found.evidence)) < 8_000


def cbor(value):
    def head(kind, size):
        return bytes([kind << 5 | size]) if size < 24 else bytes([kind << 5 | 24, size])

    if isinstance(value, dict):
        return head(5, len(value)) + b"".join(cbor(one) for pair in value.items() for one in pair)
    return head(3, len(value)) + value.encode()


def box(kind, content):
    return struct.pack(">I4s", len(content) + 8, kind) + content


def manifest(use):
    said = {"entries": {"cawg.ai_generative_training": {"use": use}, "cawg.ai_inference": {"use": "notAllowed"}}}
    label = box(b"jumd", b"\0" * 16 + b"\x03cawg.training-mining\0")
    return box(b"jumb", box(b"jumd", b"\0" * 16 + b"\x03c2pa\0") + box(b"jumb", label + box(b"cbor", cbor(said))))


def in_jpeg(blob):
    segments = b""
    for number, start in enumerate(range(0, len(blob), 100), 1):
        part = (blob[:8] if number > 1 else b"") + blob[start : start + 100]
        content = b"JP\0\1" + struct.pack(">I", number) + part
        segments += b"\xff\xeb" + struct.pack(">H", len(content) + 2) + content
    data = jpeg()
    return data[:2] + segments + data[2:]


def in_png(blob):
    data = png("")
    chunk = struct.pack(">I", len(blob)) + b"caBX" + blob + struct.pack(">I", zlib.crc32(b"caBX" + blob))
    return data[:33] + chunk + data[33:]


@pytest.mark.parametrize("place", [in_jpeg, in_png])
def test_an_assertion_of_content_credentials_is_read_and_said_to_be_unverified(place):
    found = told(place(manifest("notAllowed")))
    assert found.opt_out == "cawg.ai_generative_training notAllowed"
    assert found.evidence["training-mining"]["found"] == "C2PA, not verified"
    assert told(place(manifest("allowed"))).opt_out == ""


def test_broken_assertions_say_nothing():
    whole = manifest("notAllowed")
    for cut in range(20, len(whole), 7):
        read_mining(in_png(whole[:cut]))
    for data in (b"\x9f", b"\xbb" + b"\xff" * 8, b"\x81" * 50, b"\x7a\xff\xff\xff\xff"):
        with pytest.raises((ValueError, IndexError)):
            decode_cbor(data)
