"""A folder for each split, with the pictures as files and a metadata.jsonl within: Hugging Face's imagefolder."""

import json
from collections.abc import Iterable, Iterator
from pathlib import Path

from sfumato.data.exports.outgoing import Sample, Shard

PICTURES = 1_000  # that are written again, at most, after an interruption
A_FOLDER = 10_000  # files in one folder, at most


def write(folder: Path, name: str, shard: Shard, samples: Iterable[Sample]) -> Iterator[str]:
    """Write a shard's pictures and a part of the metadata; yields the name of each file within its split."""
    split = folder / shard.split
    part = folder / ".parts" / f"{shard.split}-{shard.number:06d}.jsonl"
    part.parent.mkdir(parents=True, exist_ok=True)
    with part.open("w", encoding="utf-8") as stream:
        for sample in samples:
            file_name = f"{sample.facts['place'] // A_FOLDER:04d}/{sample.key}.{sample.suffix}"
            path = split / file_name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(sample.data)
            line = {"file_name": file_name} | {key: said for key, said in sample.facts.items() if key != "place"}
            stream.write(json.dumps(line, ensure_ascii=False) + "\n")
            yield f"{shard.split}/{file_name}"


def forget(folder: Path, name: str, shard: Shard) -> None:
    """Remove what an earlier writing of the shard left."""
    places = {f"{line.place:08d}" for line in shard.lines}
    for within in sorted({line.place // A_FOLDER for line in shard.lines}):
        below = folder / shard.split / f"{within:04d}"
        for path in list(below.iterdir()) if below.is_dir() else []:
            if path.name[:8] in places:
                path.unlink()


def close(folder: Path, name: str, shards: list[Shard]) -> list[str]:
    """Join the parts of each split's metadata; returns the names of the files that list the pictures."""
    splits = list(dict.fromkeys(shard.split for shard in shards))
    for split in splits:
        (folder / split).mkdir(exist_ok=True)
        with (folder / split / "metadata.jsonl").open("wb") as whole:
            for part in sorted((folder / ".parts").glob(f"{split}-??????.jsonl")):
                whole.write(part.read_bytes())
    return [f"{split}/metadata.jsonl" for split in splits]
