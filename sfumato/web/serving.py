"""How a studio is served: to which names it answers, how large a body may be, how often a thing may be asked."""

import secrets
from dataclasses import dataclass, field

LOOPBACK = ("localhost", "127.0.0.1", "[::1]")
SMALL = 1_000_000  # bytes of an ordinary body
LARGE = 2_000_000_000  # bytes of an upload, over all its files
RATES = {  # what is counted: how many in a row, and how many a minute after that
    "sign-in": (10, 10.0),
    "create": (30, 60.0),
    "upload": (20, 30.0),
    "write": (200, 600.0),
}


@dataclass(frozen=True)
class Serving:
    """The choices that a studio is started with; every one has a safe default."""

    hosts: tuple[str, ...] = ()
    secure: bool = False
    launch: str = field(default="", repr=False)
    small: int = SMALL
    large: int = LARGE
    rates: dict[str, tuple[int, float]] = field(default_factory=lambda: dict(RATES))
    beat: float = 15.0
    poll: float = 0.5

    @property
    def names(self) -> frozenset[str]:
        """The names, in small letters, that the Host header may have."""
        return frozenset(name.lower() for name in (*LOOPBACK, *self.hosts))

    @property
    def cookie(self) -> str:
        """The name of the session's cookie; over TLS browsers see to it that nobody else can set it."""
        return "__Host-sfumato" if self.secure else "sfumato"


def new_secret() -> str:
    """A fresh secret of 256 bits that can stand in an address or a cookie."""
    return secrets.token_urlsafe(32)
