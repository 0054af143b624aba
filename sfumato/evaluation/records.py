"""Tables of what was measured."""

from sqlalchemy import JSON, Float, Integer, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from sfumato.db import Described, InProject, Record


class Measurement(InProject, Record):
    """A fact: one number of one group of drawings, with its interval and how it came about.

    `plan_hash` names all that decided the number, so that measuring the same again adds nothing.
    """

    __tablename__ = "measurement"
    __table_args__ = (UniqueConstraint("project_id", "plan_hash", "metric", "group"),)
    KIND = "measurement"

    subject: Mapped[str] = mapped_column(String(120), index=True)
    metric: Mapped[str] = mapped_column(String(60))
    group: Mapped[str] = mapped_column(String(60))
    value: Mapped[float] = mapped_column(Float)
    low: Mapped[float] = mapped_column(Float)
    high: Mapped[float] = mapped_column(Float)
    n: Mapped[int] = mapped_column(Integer)
    plan_hash: Mapped[str] = mapped_column(String(64))
    details: Mapped[dict] = mapped_column(JSON, default=dict)

    def describe(self) -> Described:
        """What was measured on which group, with its interval and over how many drawings."""
        facts = {"value": self.value, "low": self.low, "high": self.high, "n": self.n, "subject": self.subject}
        return Described(f"{self.metric} of {self.group}: {self.value:.3f}", facts)
