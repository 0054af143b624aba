"""The table of judgements."""

from sqlalchemy import Boolean, Index, Integer, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from sfumato.db import Described, InProject, MaybePrivate, Record


class Judgement(InProject, MaybePrivate, Record):
    """A fact: a person approved, rejected or rated something, or took back what they had said of it.

    It holds a verdict or a rating, never both, so that rating a picture again does not renew one's verdict.
    `supersedes` names the same person's earlier verdict, or rating, of the same subject; with `withdraws` it
    names what is taken back, and that counts no more. `turn` counts a person's judgements of a subject, and
    `batch` is what all judgements of one act share. What is said of something private is as private.
    """

    __tablename__ = "judgement"
    __table_args__ = (UniqueConstraint("made_by", "subject", "turn"), Index("ix_judgement_supersedes", "supersedes"))
    KIND = "judgement"

    subject: Mapped[str] = mapped_column(String(120), index=True)
    verdict: Mapped[str | None] = mapped_column(String(10))
    rating: Mapped[int | None] = mapped_column(Integer)
    reason: Mapped[str] = mapped_column(Text, default="")
    supersedes: Mapped[str | None] = mapped_column(String(36))
    withdraws: Mapped[bool] = mapped_column(Boolean, default=False)
    turn: Mapped[int] = mapped_column(Integer)
    batch: Mapped[str] = mapped_column(String(36), index=True)

    def describe(self) -> Described:
        """What was said of what, and why."""
        said = self.verdict or f"rated {self.rating} of 5"
        return Described("took a judgement back" if self.withdraws else said, {"reason": self.reason})
