"""The sample that ships, decoded small, and a workspace with its training card: real pictures for tests."""

from functools import cache
from pathlib import Path

import numpy as np

from sfumato.data.found import Found
from sfumato.data.pictures import open_picture, to_premultiplied
from sfumato.data.sources import sample


@cache
def found() -> tuple[Found, ...]:
    """Every item of the sample."""
    return tuple(one for one in sample.read(sample.Options(), Path()) if isinstance(one, Found))


def pictures(style: str, size: int = 32) -> dict[str, np.ndarray]:
    """Pictures of one style by name, (size, size, 4) uint8 premultiplied."""
    return {one.name: to_premultiplied(open_picture(one.data, 10**7), size) for one in found() if one.style == style}
