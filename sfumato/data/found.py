"""What a source hands over: a picture with all that is known of it, or the reason why not."""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Found:
    """A picture as bytes, its place in the source, and what the source says of it."""

    key: str
    data: bytes
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


@dataclass(frozen=True)
class Left:
    """Something that was not taken: quarantined when it should have been usable, else simply not wanted."""

    key: str
    reason: str
    detail: str = ""
    source: str = ""
    unwanted: bool = False
