"""Reading and writing safetensors whose header names recipe, data, code and machine. Never pickle."""

import json
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from sfumato.errors import Damaged, InvalidInput, NotFound
from sfumato.store.files import write_whole

FORMAT = 2  # 2 adds adapters; all others are still written as 1
ZIP = b"PK\x03\x04"
LONGEST = 10_000_000
WIDTHS: dict[str, np.dtype[Any]] = {
    name: np.dtype(kind) for name, kind in (("F32", "<f4"), ("F16", "<f2"), ("BF16", "<u2"), ("I64", "<i8"))
}


class Header(BaseModel):
    """What a checkpoint says of itself."""

    model_config = ConfigDict(frozen=True)

    format: int = 1
    architecture: str
    options: dict[str, Any]
    recipe: str
    recipe_options: dict[str, Any] = Field(default_factory=dict)
    run: str = ""
    data: dict[str, Any] = Field(default_factory=dict)
    ema: str = ""
    samples_seen: int = 0
    parent: str = ""
    lineage: list[dict[str, Any]] = Field(default_factory=list, description="ancestors, nearest first")
    code: str = ""
    machine: dict[str, Any] = Field(default_factory=dict)
    parts: list[str] = Field(default_factory=list)
    adapter: dict[str, Any] = Field(default_factory=dict, description="rank, alpha and modules beside the parent's")


def write_checkpoint(
    path: Path, tensors: dict[str, np.ndarray], header: Header, *, half: bool = False,
    said: dict[str, str] | None = None,
) -> None:  # fmt: skip
    """Write float32 tensors whole or not at all; `half` stores them as bfloat16, rounded to nearest even.

    What is `said` besides the header is for other programs.
    """
    left_out = set() if header.adapter else {"adapter"}
    described: dict[str, Any] = {"__metadata__": {**(said or {}), "sfumato": header.model_dump_json(exclude=left_out)}}
    blocks: list[bytes] = []
    place = 0
    for name in sorted(tensors):
        values = np.ascontiguousarray(tensors[name], np.float32)
        data = to_bfloat16(values).tobytes() if half else values.tobytes()
        described[name] = {
            "dtype": "BF16" if half else "F32",
            "shape": list(values.shape),
            "data_offsets": [place, place + len(data)],
        }
        blocks.append(data)
        place += len(data)
    text = json.dumps(described, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    write_whole(path, len(text).to_bytes(8, "little") + text + b"".join(blocks))


def to_bfloat16(values: np.ndarray) -> np.ndarray:
    """The upper halves of float32 values as uint16, rounded to nearest even."""
    bits = values.view(np.uint32)
    return ((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16).astype(np.uint16)


def read_header(path: Path) -> Header:
    """Read what a checkpoint says of itself; raises InvalidInput for anything that is not one of ours."""
    described, _ = _described(path)
    said = (described.get("__metadata__") or {}).get("sfumato")
    if said is None:
        raise InvalidInput(f"{path.name} holds weights, but not Sfumato's.", hint="Only our checkpoints can be used.")
    try:
        written = json.loads(said)["format"]
        if written > FORMAT:  # before anything else: what a newer format holds is not known here
            raise Damaged(
                f"{path.name} has format {written}; this Sfumato reads up to {FORMAT}.", hint="Install the newer one."
            )
        return Header.model_validate_json(said)
    except ValidationError as problem:
        raise Damaged(f"The header of {path.name} cannot be read: {problem.errors()[0]['msg']}.") from problem
    except (ValueError, TypeError, KeyError) as problem:
        raise Damaged(f"The header of {path.name} cannot be read.") from problem


def lineage_of(path: Path, sha256: str) -> list[dict[str, Any]]:
    """What a child of these weights says of its ancestors: these first, then all that they grew from."""
    header = read_header(path)
    own = header.model_dump(include={"recipe", "run", "data", "ema", "samples_seen", "parent"})
    return [{"sha256": sha256, **own}, *header.lineage]


def described_of(path: Path) -> dict[str, Any]:
    """The JSON head of any safetensors file; raises InvalidInput, Damaged or NotFound."""
    return _described(path)[0]


def read_shapes(path: Path) -> dict[str, tuple[int, ...]]:
    """The names and shapes of a checkpoint's tensors, without reading them."""
    described, _ = _described(path)
    return {name: tuple(entry.get("shape", ())) for name, entry in described.items() if name != "__metadata__"}


def read_tensors(path: Path) -> dict[str, np.ndarray]:
    """Read all tensors as float32 arrays (int64 stays); bfloat16 is widened exactly."""
    described, start = _described(path)
    data = np.memmap(path, np.uint8, "r", offset=start) if path.stat().st_size > start else np.zeros(0, np.uint8)
    tensors = {}
    for name, entry in described.items():
        if name == "__metadata__":
            continue
        try:
            first, last = entry["data_offsets"]
            tensors[name] = widened(data[first:last].tobytes(), entry)
        except (KeyError, TypeError, ValueError) as problem:
            raise Damaged(f"{path.name} does not hold what it says at '{name}'.") from problem
    return tensors


def widened(raw: bytes, entry: dict[str, Any]) -> np.ndarray:
    """The bytes of one tensor as a float32 array (int64 stays); raises KeyError or ValueError where they do not fit."""
    kind = WIDTHS[entry["dtype"]]
    if min(entry["shape"], default=0) < 0:
        raise ValueError("a side below nought")
    values: np.ndarray = np.frombuffer(raw, kind).reshape(entry["shape"])
    if entry["dtype"] == "BF16":
        values = (values.astype(np.uint32) << 16).view(np.float32)
    return values if entry["dtype"] == "I64" else values.astype(np.float32)


def is_pickle(first: bytes) -> bool:
    """Whether a file that begins with these eight bytes is a pickle, or a ZIP that may hold one.

    A safetensors file begins with its header's length, whose low bytes may be a pickle's; a pickle goes on otherwise.
    """
    begun = first[:2] in (b"\x80\x02", b"\x80\x03", b"\x80\x04", b"\x80\x05")
    return first[:4] == ZIP or (begun and int.from_bytes(first[:8], "little") > LONGEST)


def _described(path: Path) -> tuple[dict[str, Any], int]:
    """The JSON head of a safetensors file and where its data starts; refuses what is cut short."""
    if not path.is_file():
        raise NotFound(f"There is no file {path}.", hint="Name a .safetensors file.")
    with path.open("rb") as stream:
        first = stream.read(8)
        if is_pickle(first):
            raise InvalidInput(
                f"{path.name} is a pickle: opening it could run anything, so it is not opened.",
                hint="Ask for the weights as safetensors.",
            )
        length = int.from_bytes(first, "little")
        if LONGEST < length < 1 << 60:  # text read as a number is larger still
            raise InvalidInput(
                f"{path.name} is not a safetensors file: its header alone would have {length:,} bytes.",
                hint=f"None is longer than {LONGEST:,}. It is something else, or was made to do harm.",
            )
        if len(first) < 8 or not 2 <= length <= LONGEST:
            raise InvalidInput(f"{path.name} is not a safetensors file.")
        try:
            described = json.loads(stream.read(length))
        except (ValueError, RecursionError) as problem:
            raise InvalidInput(f"{path.name} is not a safetensors file.") from problem
    try:
        ends = [int(entry["data_offsets"][1]) for name, entry in described.items() if name != "__metadata__"]
        dict(described.get("__metadata__") or {})
    except (AttributeError, IndexError, KeyError, TypeError, ValueError) as problem:
        raise InvalidInput(f"{path.name} is not a safetensors file.") from problem
    if path.stat().st_size < 8 + length + max(ends, default=0):
        raise Damaged(f"{path.name} is cut short.", hint="Fetch or copy it again.")
    return described, 8 + length
