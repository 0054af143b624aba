"""The table of criteria."""

from sqlalchemy import Boolean, Float, Integer, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from sfumato.db import Described, InProject, Record


class Criterion(InProject, Record):
    """A thing: what must hold of a model before it may go live; `version` rises with each change."""

    __tablename__ = "criterion"
    __table_args__ = (UniqueConstraint("project_id", "model"),)
    KIND = "criterion"

    model: Mapped[str] = mapped_column(String(100))
    measure: Mapped[str] = mapped_column(String(60))
    group: Mapped[str] = mapped_column(String(60), default="")
    comparator: Mapped[str] = mapped_column(String(10))  # at_least or at_most
    threshold: Mapped[float] = mapped_column(Float)
    bound: Mapped[str] = mapped_column(String(10))  # low, high or value
    n_min: Mapped[int] = mapped_column(Integer)
    dropped: Mapped[bool] = mapped_column(Boolean, default=False)
    version: Mapped[int] = mapped_column(Integer, default=1)

    def describe(self) -> Described:
        """What must hold of which model."""
        way = self.comparator.replace("_", " ")
        facts = {"bound": self.bound, "n_min": self.n_min, "dropped": self.dropped}
        return Described(
            f"{self.model}: {self.measure} {self.group} {way} {self.threshold:g}".replace("  ", " "), facts
        )
