"""What a C2PA manifest says on learning from a picture, read without checking its signature (`sfumato verify` does)."""

import json
import struct
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

LARGEST = 16_000_000  # bytes of a manifest that are looked at
DEEPEST = 12  # levels of maps and lists
LABEL = b".training-mining"


def read_mining(data: bytes) -> dict[str, str]:
    """What is allowed, by use ("c2pa.ai_training": "notAllowed"); nothing where nothing can be read."""
    found: dict[str, str] = {}
    blob = b"".join(_manifests(data))[:LARGEST]
    start = blob.find(LABEL)
    while start != -1:
        end = blob.find(b"\0", start)
        try:
            entries = _assertion(blob, end + 1).get("entries", {})
            for name, said in entries.items():
                use = said.get("use") if isinstance(said, dict) else said
                if isinstance(name, str) and isinstance(use, str):
                    found[name[:60]] = use[:60]
        except (ValueError, AttributeError, IndexError, struct.error, RecursionError):
            pass  # broken: it says nothing
        start = blob.find(LABEL, start + 1)
    return found


def _assertion(blob: bytes, place: int) -> dict[str, Any]:
    """The content of the box that comes after a label."""
    while place + 8 <= len(blob):
        length, kind = struct.unpack(">I4s", blob[place : place + 8])
        content = blob[place + 8 : place + length]
        if kind in (b"cbor", b"json"):
            said = decode_cbor(content)[0] if kind == b"cbor" else json.loads(content)
            return said if isinstance(said, dict) else {}
        if length < 8:
            break
        place += length
    return {}


def decode_cbor(data: bytes, place: int = 0, depth: int = 0) -> tuple[Any, int]:
    """One value of CBOR (RFC 8949) and where it ends; raises ValueError for what assertions do not use."""
    if depth > DEEPEST:
        raise ValueError("too deep")
    kind, size = data[place] >> 5, data[place] & 31
    place += 1
    if 24 <= size <= 27:
        width = 1 << (size - 24)
        size = int.from_bytes(data[place : place + width], "big")
        place += width
    elif size > 27:
        raise ValueError("lengths that are told at the end are not read")
    if kind in (0, 1):
        return (size if kind == 0 else -1 - size), place
    if kind in (2, 3):
        if place + size > len(data):
            raise ValueError("cut short")
        text = data[place : place + size]
        return (text if kind == 2 else text.decode("utf-8", "replace")), place + size
    if kind == 6:
        return decode_cbor(data, place, depth + 1)
    if kind == 7:
        return {20: False, 21: True}.get(size), place
    if size > len(data):
        raise ValueError("longer than its data")
    members = []
    for _ in range(size * (2 if kind == 5 else 1)):
        value, place = decode_cbor(data, place, depth + 1)
        members.append(value)
    if kind == 4:
        return members, place
    return {str(name): value for name, value in zip(members[::2], members[1::2], strict=True)}, place


def _manifests(data: bytes) -> Iterator[bytes]:
    """The JUMBF of a JPEG, a PNG or a WebP."""
    if data.startswith(b"\xff\xd8"):
        yield from _of_jpeg(data)
    elif data.startswith(b"\x89PNG"):
        yield from _chunks(data, 8, ">I4s", 4, b"caBX")
    elif data.startswith(b"RIFF"):
        yield from _chunks(data, 12, "<4sI", 0, b"C2PA")


def _chunks(data: bytes, place: int, form: str, check: int, wanted: bytes) -> Iterator[bytes]:
    while place + 8 <= len(data):
        first, second = struct.unpack(form, data[place : place + 8])
        size, kind = (first, second) if isinstance(first, int) else (second, first)
        if kind == wanted:
            yield data[place + 8 : place + 8 + size]
        place += 8 + size + check + (0 if check else size & 1)


def _of_jpeg(data: bytes) -> Iterator[bytes]:
    """APP11 segments put together: each repeats the head of the box that it goes on with."""
    parts: dict[bytes, list[bytes]] = defaultdict(list)
    place = 2
    while place + 4 <= len(data) and data[place] == 0xFF and data[place + 1] != 0xDA:
        size = int.from_bytes(data[place + 2 : place + 4], "big")
        segment = data[place + 4 : place + 2 + size]
        if data[place + 1] == 0xEB and segment.startswith(b"JP"):
            box = segment[2:4]
            parts[box].append(segment[16:] if parts[box] else segment[8:])
        place += 2 + max(size, 2)
    for pieces in parts.values():
        yield b"".join(pieces)
