"""Tables of what was asked for, drawn and let out."""

from sqlalchemy import JSON, BigInteger, Boolean, Float, Integer, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from sfumato.db import Described, InProject, MaybePrivate, Record


class Request(InProject, MaybePrivate, Record):
    """A fact: somebody asked a model for pictures of a sentence."""

    __tablename__ = "request"
    KIND = "request"

    prompt: Mapped[str] = mapped_column(Text)
    private: Mapped[bool] = mapped_column(Boolean, default=False)
    n: Mapped[int] = mapped_column(Integer)
    seed: Mapped[int] = mapped_column(BigInteger)
    sampler: Mapped[str] = mapped_column(String(40))
    steps: Mapped[int] = mapped_column(Integer)
    guidance: Mapped[float] = mapped_column(Float)
    background: Mapped[str] = mapped_column(String(20))
    upscale: Mapped[int] = mapped_column(Integer, default=1)
    engine: Mapped[str] = mapped_column(String(40))
    model: Mapped[str] = mapped_column(String(100))
    checkpoint_sha256: Mapped[str] = mapped_column(String(64))
    understood: Mapped[dict] = mapped_column(JSON, default=dict)

    def describe(self) -> Described:
        """What was asked for and how; a private prompt is not told."""
        facts = {
            name: getattr(self, name) for name in ("n", "seed", "sampler", "steps", "guidance", "background", "model")
        }
        return Described("a private prompt" if self.private else f'"{self.prompt}"', facts)


class Image(InProject, MaybePrivate, Record):
    """A fact: one picture as it was drawn, before anything was added to it."""

    __tablename__ = "image"
    __table_args__ = (UniqueConstraint("request_id", "place"),)
    KIND = "image"

    request_id: Mapped[str] = mapped_column(String(36), index=True)
    place: Mapped[int] = mapped_column(Integer)
    seed: Mapped[int] = mapped_column(BigInteger)
    sha256: Mapped[str] = mapped_column(String(64), index=True)
    width: Mapped[int] = mapped_column(Integer)
    height: Mapped[int] = mapped_column(Integer)
    reference: Mapped[dict | None] = mapped_column(JSON)

    def describe(self) -> Described:
        """Which of the request's pictures, and what it was drawn from besides the words."""
        facts = {"seed": self.seed, "width": self.width, "height": self.height, "sha256": self.sha256}
        return Described(f"picture {self.place + 1} of its request", facts, picture=self.sha256)


class Published(InProject, MaybePrivate, Record):
    """A fact: a picture left the studio, marked and signed, as these bytes."""

    __tablename__ = "published"
    KIND = "published"

    image_id: Mapped[str] = mapped_column(String(36), index=True)
    sha256: Mapped[str] = mapped_column(String(64), index=True)
    file_name: Mapped[str] = mapped_column(String(200))
    mime: Mapped[str] = mapped_column(String(40))
    background: Mapped[str] = mapped_column(String(20))

    def describe(self) -> Described:
        """The file as it left."""
        facts = {"background": self.background, "mime": self.mime, "sha256": self.sha256}
        return Described(self.file_name, facts, picture=self.sha256)
