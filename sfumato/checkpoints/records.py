"""Tables of checkpoints and of the models that people name."""

from sqlalchemy import JSON, BigInteger, String
from sqlalchemy.orm import Mapped, mapped_column

from sfumato.db import Record, Version


class Checkpoint(Version):
    """Frozen weights; the content hash is the file's SHA-256."""

    __tablename__ = "checkpoint"
    KIND = "checkpoint"

    run_id: Mapped[str | None] = mapped_column(String(36), index=True)
    samples_seen: Mapped[int] = mapped_column(BigInteger)
    ema: Mapped[str] = mapped_column(String(20))
    header: Mapped[dict] = mapped_column(JSON)


class Model(Record):
    """A name under which weights can be asked for."""

    __tablename__ = "model"
    KIND = "model"

    name: Mapped[str] = mapped_column(String(100), unique=True)
    checkpoint_id: Mapped[str] = mapped_column(String(36))
