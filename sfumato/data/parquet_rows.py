"""Rows of Parquet files, a few at a time, and what Hugging Face writes beside their columns."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sfumato.errors import InvalidInput, NotFound

ROWS = 64  # that are in memory at once


def parquet() -> Any:
    """pyarrow's reader; raises NotFound with how to get it."""
    try:
        from pyarrow import parquet as reader
    except ImportError as missing:
        raise NotFound(
            "Parquet files are read by pyarrow, which is not installed.",
            hint="Run: pip install 'sfumato[data]'",
        ) from missing
    return reader


def rows_of(path: Path) -> Iterator[dict[str, Any]]:
    """Rows with the names of their classes; raises InvalidInput for a file that is none."""
    reader = parquet()
    try:
        with reader.ParquetFile(path, memory_map=True) as table:
            classes = _classes(table.schema_arrow.metadata or {})
            for batch in table.iter_batches(batch_size=ROWS):
                for row in batch.to_pylist():
                    for name, labels in classes.items():
                        if isinstance(row.get(name), int) and 0 <= row[name] < len(labels):
                            row[name] = labels[row[name]]
                    yield row
    except (OSError, ValueError) as problem:  # pyarrow's own errors are ValueErrors
        raise InvalidInput(f"{path.name} cannot be read as Parquet: {problem}.") from problem


def count_rows(path: Path) -> int:
    """How many rows a file says that it has; 0 for one that cannot be read."""
    try:
        return int(parquet().read_metadata(path).num_rows)
    except (OSError, ValueError):
        return 0


def columns_of(path: Path) -> list[str]:
    """The columns that a file says that it has; raises InvalidInput for a file that is none."""
    try:
        return list(parquet().read_schema(path).names)
    except (OSError, ValueError) as problem:
        raise InvalidInput(f"{path.name} cannot be read as Parquet: {problem}.") from problem


def _classes(metadata: dict[bytes, bytes]) -> dict[str, list[str]]:
    """Names of classes by column, as Hugging Face keeps them."""
    try:
        features = json.loads(metadata.get(b"huggingface", b"{}"))["info"]["features"]
        return {
            name: [str(one) for one in said["names"]]
            for name, said in features.items()
            if isinstance(said, dict) and said.get("_type") == "ClassLabel"
        }
    except (ValueError, KeyError, TypeError, AttributeError):
        return {}
