"""Parquet with the pictures within, as Hugging Face keeps them: an `image` of bytes and path beside plain columns."""

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from sfumato.data.exports.outgoing import PICTURES as PICTURES
from sfumato.data.exports.outgoing import Sample, Shard
from sfumato.data.tables import arrow

ROWS, GROUP_BYTES = 500, 64_000_000  # of a row group, at most: what a reader holds at once
STRINGS = (
    "text", "license", "author", "source", "source_version", "url", "sha256", "style", "category", "concept", "consent",
    "opt_out", "attributes", "family", "split", "split_reason", "drawn_from", "id",
)  # fmt: skip


def write(folder: Path, name: str, shard: Shard, samples: Iterable[Sample]) -> Iterator[str]:
    """Write one file, a row group at a time."""
    pa = arrow()
    import pyarrow.parquet as pq

    schema = _schema(pa)
    path = folder / file_name(name, shard)
    path.parent.mkdir(exist_ok=True)
    rows: list[dict[str, Any]] = []
    held = 0
    with pq.ParquetWriter(path, schema, compression="snappy", write_page_checksum=True) as out:
        for sample in samples:
            image = {"bytes": sample.data, "path": f"{sample.key}.{sample.suffix}"}
            rows.append({"image": image} | sample.facts)
            held += len(sample.data)
            if len(rows) >= ROWS or held >= GROUP_BYTES:
                out.write_table(pa.Table.from_pylist(rows, schema))
                rows, held = [], 0
            yield sample.key
        if rows:
            out.write_table(pa.Table.from_pylist(rows, schema))


def _schema(pa: Any) -> Any:
    fields = [
        ("image", pa.struct([("bytes", pa.binary()), ("path", pa.string())])), *((one, pa.string()) for one in STRINGS),
        ("tags", pa.list_(pa.string())), ("width", pa.int32()), ("height", pa.int32()), ("weight", pa.float64()),
        ("flip_ok", pa.bool_()),
    ]  # fmt: skip
    plain = {"width": "int32", "height": "int32", "weight": "float64", "flip_ok": "bool"}
    told: dict[str, Any] = {"image": {"_type": "Image"}, "tags": [{"dtype": "string", "_type": "Value"}]}
    told |= {one: {"dtype": plain.get(one, "string"), "_type": "Value"} for one, _ in fields if one not in told}
    return pa.schema(fields, metadata={"huggingface": json.dumps({"info": {"features": told}})})


def file_name(name: str, shard: Shard) -> str:
    """How a shard's file is named, so that its split is found by itself."""
    return f"data/{shard.split}-{shard.number:05d}-of-{shard.of:05d}.parquet"


def forget(folder: Path, name: str, shard: Shard) -> None:
    """Remove what an earlier writing of the shard left."""
    (folder / file_name(name, shard)).unlink(missing_ok=True)


def close(folder: Path, name: str, shards: list[Shard]) -> list[str]:
    """The names of the files that hold the pictures."""
    return [file_name(name, shard) for shard in shards]
