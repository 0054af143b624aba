"""Tables of training runs."""

from typing import Any

from sqlalchemy import JSON, BigInteger, Integer, String
from sqlalchemy.orm import Mapped, mapped_column

from sfumato.db import Described, InProject, Record
from sfumato.training.provenance import told

OWN = "own"  # the recipe of a run whose loop is somebody's own
DRAWS_NOTHING = (OWN, "enlarge")  # recipes whose models nobody creates with


class Run(InProject, Record):
    """A thing: one recipe on one dataset version with one seed, and how far it came."""

    __tablename__ = "run"
    KIND = "run"

    name: Mapped[str] = mapped_column(String(100), unique=True)
    recipe: Mapped[str] = mapped_column(String(40))
    options: Mapped[dict] = mapped_column(JSON)
    machine: Mapped[dict] = mapped_column(JSON, default=dict)
    details: Mapped[dict] = mapped_column(JSON, default=dict, server_default="{}")  # provenance, and what to keep
    version_id: Mapped[str] = mapped_column(String(36))
    parent_sha256: Mapped[str | None] = mapped_column(String(64))
    seed: Mapped[int] = mapped_column(Integer)
    samples_seen: Mapped[int] = mapped_column(BigInteger, default=0)
    job_id: Mapped[str | None] = mapped_column(String(36))

    def describe(self) -> Described:
        """The run's name, its recipe and seed, and how far it came."""
        known = {"seed": self.seed, "samples_seen": self.samples_seen, **told(self.details or {})}
        return describe_run(self.name, self.recipe, known)


def describe_run(name: str, recipe: str, facts: dict[str, Any]) -> Described:
    """A run in words; also one that is known only from what a checkpoint says of it."""
    return Described(f"run {name}", {"recipe": recipe, **facts})
