"""Tables of what was taken away on purpose: what stays of it is its hash and the reason."""

from sqlalchemy import BigInteger, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from sfumato.db import Described, Record


class Erased(Record):
    """A fact: bytes had to go for good, in every project, and may not come back."""

    __tablename__ = "erased"
    KIND = "erased"

    sha256: Mapped[str] = mapped_column(String(64), unique=True)
    reason: Mapped[str] = mapped_column(Text)

    def describe(self) -> Described:
        """What was erased, when and why."""
        facts = {"reason": self.reason, "sha256": self.sha256, "on": f"{self.made_at:%Y-%m-%d}"}
        return Described(f"erased {self.sha256[:12]}", facts)


class Cleared(Record):
    """A fact: the weights of a checkpoint were removed to make room; training again would make them again."""

    __tablename__ = "cleared"
    KIND = "cleared"

    sha256: Mapped[str] = mapped_column(String(64), index=True)
    bytes: Mapped[int] = mapped_column(BigInteger)

    def describe(self) -> Described:
        """Which weights were removed."""
        return Described(f"cleared {self.sha256[:12]}", {"sha256": self.sha256, "bytes": self.bytes})
