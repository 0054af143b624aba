"""A small picture signed by a workspace, for tests of what becomes of it."""

from pathlib import Path

import numpy as np

from sfumato.actions import Workspace
from sfumato.generation.metadata import Facts
from sfumato.generation.publish import published_bytes

FACTS = Facts(
    request_id="request-1", image_id="image-1", prompt="a red disc", seed=7, sampler="dpmpp_2m", steps=12,
    guidance=2.0, width=16, height=16, model="drawn", checkpoint_sha256="ab" * 32, data_hash="cd" * 32,
    background="white", made_at="2026-11-24T10:00:00+00:00",
)  # fmt: skip


def signed_bytes(workspace: Workspace) -> bytes:
    """A signed PNG of 16 × 16 pixels of chance."""
    return published_bytes(workspace, np.random.default_rng(0).integers(0, 255, (16, 16, 4), np.uint8), FACTS)


def signed_file(workspace: Workspace, folder: Path) -> Path:
    """The same as a file."""
    path = folder / "disc.png"
    path.write_bytes(signed_bytes(workspace))
    return path


def chunks(data: bytes) -> list[tuple[str, int, int]]:
    """The chunks of a PNG as (type, start, end)."""
    place, found = 8, []
    while place < len(data):
        end = place + 12 + int.from_bytes(data[place : place + 4], "big")
        found.append((data[place + 4 : place + 8].decode(), place, end))
        place = end
    return found
