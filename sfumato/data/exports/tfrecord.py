"""TFRecord files of `tf.train.Example`, written without TensorFlow: a framed protobuf message for each picture."""

import struct
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

import numpy as np

from sfumato.data.exports.outgoing import PICTURES as PICTURES
from sfumato.data.exports.outgoing import Sample, Shard

CASTAGNOLI = 0x82F63B78  # the polynomial of CRC-32C, its bits reversed
BLOCK = 1024  # bytes that are looked up at once


def write(folder: Path, name: str, shard: Shard, samples: Iterable[Sample]) -> Iterator[str]:
    """Write one file of framed examples."""
    with (folder / file_name(name, shard)).open("wb") as stream:
        for sample in samples:
            stream.write(framed(example(features_of(sample))))
            yield sample.key


def features_of(sample: Sample) -> dict[str, bytes | int | float | list[bytes]]:
    """The features of a picture, by TensorFlow's usual names where there are such."""
    told: dict[str, bytes | int | float | list[bytes]] = {
        "image/encoded": sample.data, "image/format": sample.suffix.replace("jpg", "jpeg").encode(),
        "image/width": sample.facts["width"], "image/height": sample.facts["height"],
        "image/filename": f"{sample.key}.{sample.suffix}".encode(),
    }  # fmt: skip
    for key, said in sample.facts.items():
        if key in ("width", "height", "place"):
            continue
        if isinstance(said, str):
            told[key] = said.encode()
        else:
            told[key] = [one.encode() for one in said] if isinstance(said, list) else said
    return told


def framed(data: bytes) -> bytes:
    """A record: its length, the masked checksum of the length, the data, the masked checksum of the data."""
    length = struct.pack("<Q", len(data))
    return length + struct.pack("<I", masked(length)) + data + struct.pack("<I", masked(data))


def example(features: dict[str, bytes | int | float | list[bytes]]) -> bytes:
    """A `tf.train.Example`: a message of one map from names to lists of bytes, whole numbers or floats."""
    entries = b"".join(
        _field(1, _field(1, name.encode()) + _field(2, _feature(features[name]))) for name in sorted(features)
    )
    return _field(1, entries)


def _feature(said: bytes | int | float | list[bytes]) -> bytes:
    if isinstance(said, float):
        return _field(2, _field(1, struct.pack("<f", said)))
    if isinstance(said, int):
        return _field(3, _field(1, _varint(said)))
    return _field(1, b"".join(_field(1, one) for one in ([said] if isinstance(said, bytes) else said)))


def _field(number: int, data: bytes) -> bytes:
    """A field of a protobuf message that is counted in bytes: wire type 2."""
    return _varint(number << 3 | 2) + _varint(len(data)) + data


def _varint(value: int) -> bytes:
    value &= 2**64 - 1
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def masked(data: bytes) -> int:
    """The checksum as TFRecord stores it: turned by 15 bits, plus a constant."""
    crc = crc32c(data)
    return ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF


def crc32c(data: bytes) -> int:
    """CRC-32C (RFC 3720, appendix B.4), a block of bytes at a time by a table for each place within the block."""
    tables, starts = _tables()
    state = 0xFFFFFFFF
    head = len(data) % BLOCK
    for start, end in [(0, head), *((place, place + BLOCK) for place in range(head, len(data), BLOCK))]:
        values = np.frombuffer(data, np.uint8, end - start, start)
        if len(values) < 4:
            for value in values:
                state = int(tables[(state ^ int(value)) & 0xFF]) ^ state >> 8
            continue
        values = values.copy()
        values[:4] ^= np.frombuffer(struct.pack("<I", state), np.uint8)
        state = int(np.bitwise_xor.reduce(tables.take(starts[-len(values) :] + values)))
    return state ^ 0xFFFFFFFF


@cache
def _tables() -> tuple[np.ndarray, np.ndarray]:
    """What a byte adds to the checksum when so many bytes follow it, 256 values for each, and where these start."""
    first = np.arange(256, dtype=np.uint32)
    for _ in range(8):
        first = np.where(first & 1, first >> 1 ^ np.uint32(CASTAGNOLI), first >> 1)
    tables = [first]
    for _ in range(BLOCK - 1):
        tables.append(first[tables[-1] & 0xFF] ^ tables[-1] >> 8)
    return np.concatenate(tables), np.arange(BLOCK - 1, -1, -1) * 256


def file_name(name: str, shard: Shard) -> str:
    """How a shard's file is named."""
    return f"{name}-{shard.split}.tfrecord-{shard.number:05d}-of-{shard.of:05d}"


def forget(folder: Path, name: str, shard: Shard) -> None:
    """Remove what an earlier writing of the shard left."""
    (folder / file_name(name, shard)).unlink(missing_ok=True)


def close(folder: Path, name: str, shards: list[Shard]) -> list[str]:
    """The names of the files that hold the pictures."""
    return [file_name(name, shard) for shard in shards]
