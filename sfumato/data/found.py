"""What a source hands over: a picture with all that is known of it, or the reason why not."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Found:
    """A picture as bytes, its place in the source, and what the source says of it."""

    key: str
    data: bytes = field(repr=False)
    name: str = ""
    tags: list[str] = field(default_factory=list)
    style: str = ""
    category: str = ""
    concept: str = ""
    licence: str = "NOASSERTION"
    author: str = ""
    source: str = ""
    source_version: str = ""
    url: str = ""
    flip_ok: bool | None = None
    evidence: dict[str, Any] = field(default_factory=dict)  # by name: {"value": …, "found": where it is written}
    attributes: dict[str, Any] = field(default_factory=dict)
    family: str = ""  # pictures of one family are never parted by a split
    given_split: str = ""
    consent: str = ""
    opt_out: str = ""


@dataclass(frozen=True)
class Left:
    """Something that was not taken: quarantined when it should have been usable, else simply not wanted."""

    key: str
    reason: str
    detail: str = ""
    source: str = ""
    unwanted: bool = False


@dataclass(frozen=True)
class Later:
    """A picture whose place is known and whose bytes are read when its turn comes, by whichever thread is free."""

    key: str
    source: str
    fetch: Callable[[], Found | Left]
    size: int = 0  # bytes, as far as is known


Handed = Found | Left | Later
