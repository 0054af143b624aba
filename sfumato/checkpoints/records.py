"""Tables of checkpoints and of the models that people name."""

from typing import Any

from sqlalchemy import JSON, BigInteger, Integer, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from sfumato.db import Described, InProject, Record, Version


class Checkpoint(InProject, Version):
    """Frozen weights; the content hash is the file's SHA-256."""

    __tablename__ = "checkpoint"
    KIND = "checkpoint"

    run_id: Mapped[str | None] = mapped_column(String(36), index=True)
    samples_seen: Mapped[int] = mapped_column(BigInteger)
    ema: Mapped[str] = mapped_column(String(20))
    header: Mapped[dict] = mapped_column(JSON)

    def describe(self) -> Described:
        """Which weights, how much they had seen, and which average they are."""
        return describe_weights(self.content_hash, self.header)


class Model(InProject, Record):
    """A name under which weights can be asked for."""

    __tablename__ = "model"
    KIND = "model"

    name: Mapped[str] = mapped_column(String(100), unique=True)
    checkpoint_id: Mapped[str] = mapped_column(String(36))

    def describe(self) -> Described:
        """The name, and which weights it stands for."""
        return Described(f"model {self.name}", {"checkpoint": self.checkpoint_id})


class Alias(InProject, Record):
    """A fact: from here on `name` stands for these weights in this project.

    One that `undoes` another brings back what stood before it. `turn` counts the facts of one alias.
    """

    __tablename__ = "alias"
    __table_args__ = (UniqueConstraint("project_id", "name", "turn"),)
    KIND = "alias"

    name: Mapped[str] = mapped_column(String(40))
    model: Mapped[str] = mapped_column(String(100))
    sha256: Mapped[str] = mapped_column(String(64))
    turn: Mapped[int] = mapped_column(Integer)
    undoes: Mapped[str | None] = mapped_column(String(36))
    details: Mapped[dict] = mapped_column(JSON, default=dict)

    def describe(self) -> Described:
        """Which weights got the name, and what spoke for it."""
        return Described(
            f"{self.name}: {self.model}", {"sha256": self.sha256, "because": self.details.get("grounds", "")}
        )


def describe_weights(sha256: str, header: dict[str, Any]) -> Described:
    """Weights in words, from their hash and what their header says; also where they have no row."""
    facts = {
        "sha256": sha256,
        "samples_seen": header.get("samples_seen", 0),
        "ema": header.get("ema", ""),
        "architecture": header.get("architecture", ""),
    }
    adopted = adopted_of(header)
    facts |= {key: adopted[key] for key in ("file", "licence", "maker") if adopted.get(key)}
    return Described(f"weights {sha256[:12]}", facts)


def adopted_of(header: dict[str, Any]) -> dict[str, Any]:
    """What was said of weights when they were taken in from elsewhere: file, licence, maker; empty for our own."""
    options = header.get("recipe_options") or {}
    said: dict[str, Any] = options.get("adopted", options if header.get("recipe") == "adopted" else {})
    return said
