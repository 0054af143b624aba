"""Uncompressed tar files, where files of one name are one sample: a picture, its caption and what is known of it."""

import io
import json
import tarfile
from collections.abc import Iterable, Iterator
from pathlib import Path

from sfumato.data.exports.outgoing import PICTURES as PICTURES
from sfumato.data.exports.outgoing import Sample, Shard


def write(folder: Path, name: str, shard: Shard, samples: Iterable[Sample]) -> Iterator[str]:
    """Write one tar, in the order of the names; the same samples always give the same bytes."""
    with tarfile.open(folder / file_name(name, shard), "w", format=tarfile.USTAR_FORMAT) as tar:
        for sample in samples:
            facts = sample.facts
            told = {
                "key": sample.key, "caption": facts["text"], "status": "success", "error_message": None,
                "original_width": facts["width"], "original_height": facts["height"], "exif": "{}",
            } | {key: said for key, said in facts.items() if key != "place"}  # fmt: skip
            parts = {
                sample.suffix: sample.data, "json": json.dumps(told, ensure_ascii=False).encode(),
                "txt": facts["text"].encode(),
            }  # fmt: skip
            for suffix in sorted(parts):
                entry = tarfile.TarInfo(f"{sample.key}.{suffix}")
                entry.size = len(parts[suffix])
                tar.addfile(entry, io.BytesIO(parts[suffix]))
            yield sample.key


def file_name(name: str, shard: Shard) -> str:
    """How a shard's file is named."""
    return f"{name}-{shard.split}-{shard.number:06d}.tar"


def forget(folder: Path, name: str, shard: Shard) -> None:
    """Remove what an earlier writing of the shard left."""
    (folder / file_name(name, shard)).unlink(missing_ok=True)


def close(folder: Path, name: str, shards: list[Shard]) -> list[str]:
    """The names of the files that hold the pictures."""
    return [file_name(name, shard) for shard in shards]
