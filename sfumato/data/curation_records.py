"""Tables of what was seen in a dataset's pictures, what checks propose, and what people decided."""

from typing import Any

from sqlalchemy import JSON, BigInteger, Boolean, Float, ForeignKey, Index, Integer, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from sfumato.db import Described, InProject, Record


class Appearance(InProject, Record):
    """A fact: what one pass over an item's pixels measured; `measured` is the hash of the bytes that it saw."""

    __tablename__ = "appearance"
    __table_args__ = (Index("ix_appearance_dataset", "dataset_id", "id"),)
    KIND = "appearance"

    dataset_id: Mapped[str] = mapped_column(ForeignKey("dataset.id"))
    item_id: Mapped[str] = mapped_column(ForeignKey("item.id"), unique=True)
    measured: Mapped[str] = mapped_column(String(64))
    measure: Mapped[int] = mapped_column(Integer)  # which edition of the measuring code
    file_bytes: Mapped[int] = mapped_column(Integer)
    pixels_sha256: Mapped[str] = mapped_column(String(64), index=True)  # of the decoded pixels, whatever the file
    brightness: Mapped[float] = mapped_column(Float)  # mean of grey, 0 to 1, as all that follow
    contrast: Mapped[float] = mapped_column(Float)
    darkest: Mapped[float] = mapped_column(Float)  # 5th percentile of grey
    lightest: Mapped[float] = mapped_column(Float)  # 95th percentile of grey
    sharpness: Mapped[float] = mapped_column(Float)
    noise: Mapped[float] = mapped_column(Float)
    blocking: Mapped[float] = mapped_column(Float)
    information: Mapped[float] = mapped_column(Float)  # entropy of grey in bits, 0 to 8
    colourfulness: Mapped[float] = mapped_column(Float)
    hue: Mapped[float] = mapped_column(Float)  # of the mean colour, 0 to 1; 0 where there is none
    is_flat: Mapped[bool] = mapped_column(Boolean)  # too little in it for its hashes to tell anything
    phash: Mapped[int] = mapped_column(BigInteger)  # 64 bits as a signed number
    dhash: Mapped[int] = mapped_column(BigInteger)
    more_hashes: Mapped[list] = mapped_column(JSON, default=list)  # of crops and the mirror image, as the code defines


class Scan(InProject, Record):
    """A fact: checks went over a dataset, with what settings, and what they found."""

    __tablename__ = "scan"
    __table_args__ = (Index("ix_scan_dataset", "dataset_id", "id"),)
    KIND = "scan"

    dataset_id: Mapped[str] = mapped_column(ForeignKey("dataset.id"))
    job_id: Mapped[str] = mapped_column(String(36), default="")
    checks: Mapped[list] = mapped_column(JSON)
    settings: Mapped[dict] = mapped_column(JSON, default=dict)
    n: Mapped[int] = mapped_column(Integer)
    found: Mapped[dict] = mapped_column(JSON, default=dict)  # findings by check
    rates: Mapped[dict] = mapped_column(JSON, default=dict)  # pictures per second by check

    def describe(self) -> Described:
        """Which checks went over how many pictures."""
        return Described(f"checks of {self.n:,} pictures", {"checks": self.checks, "found": self.found})


class Finding(InProject, Record):
    """A fact: a check proposes that something is wrong with an item; only a decision settles it."""

    __tablename__ = "finding"
    __table_args__ = (
        Index("ix_finding_dataset", "dataset_id", "check", "state", "score"), Index("ix_finding_item", "item_id"),
    )  # fmt: skip
    KIND = "finding"

    dataset_id: Mapped[str] = mapped_column(ForeignKey("dataset.id"))
    item_id: Mapped[str] = mapped_column(ForeignKey("item.id"))
    check: Mapped[str] = mapped_column(String(60))
    score: Mapped[float] = mapped_column(Float)  # 0 to 1, the higher the worse
    reason: Mapped[str] = mapped_column(Text)
    group: Mapped[str] = mapped_column(String(36), default="", index=True)  # the items of one group of copies share it
    beside_id: Mapped[str] = mapped_column(String(36), default="")  # the item that it is a copy of, say
    details: Mapped[dict] = mapped_column(JSON, default=dict)
    scan_id: Mapped[str] = mapped_column(String(36), default="")
    state: Mapped[str] = mapped_column(String(20), default="open")  # or "settled", or "gone" when not seen any more
    settled_by: Mapped[str] = mapped_column(String(36), default="")  # a decision, also one that was taken back since

    @property
    def answered_by(self) -> str:
        """The decision that answers it now, "" while it is open."""
        return self.settled_by if self.state == "settled" else ""

    def describe(self) -> Described:
        """What was found, and why."""
        return Described(self.check, {"reason": self.reason, "score": self.score, "state": self.state})


class Decision(InProject, Record):
    """A fact: somebody changed items of a dataset, by hand or in bulk, under a name; it can be undone as a whole."""

    __tablename__ = "decision"
    __table_args__ = (Index("ix_decision_dataset", "dataset_id", "id"),)
    KIND = "decision"

    dataset_id: Mapped[str] = mapped_column(ForeignKey("dataset.id"))
    verb: Mapped[str] = mapped_column(String(40))
    name: Mapped[str] = mapped_column(String(200))
    reason: Mapped[str] = mapped_column(Text, default="")
    details: Mapped[dict] = mapped_column(JSON, default=dict)
    n: Mapped[int] = mapped_column(Integer)
    undoes: Mapped[str] = mapped_column(String(36), default="")  # the decision that this one takes back
    undone_by: Mapped[str] = mapped_column(String(36), default="")

    def describe(self) -> Described:
        """What was decided, of how many pictures, and why."""
        return Described(self.name, {"pictures": self.n, "reason": self.reason, "undone": bool(self.undone_by)})


class Decided(InProject, Record):
    """One item of a decision: the columns that it set, as they were and as they became."""

    __tablename__ = "decided"
    __table_args__ = (UniqueConstraint("decision_id", "item_id"), Index("ix_decided_item", "item_id", "id"))
    KIND = "decided"

    decision_id: Mapped[str] = mapped_column(ForeignKey("decision.id"))
    item_id: Mapped[str] = mapped_column(ForeignKey("item.id"))
    before: Mapped[dict[str, Any]] = mapped_column(JSON)
    after: Mapped[dict[str, Any]] = mapped_column(JSON)
    reason: Mapped[str] = mapped_column(Text, default="")  # why this one, where it differs from the whole's


class Slice(InProject, Record):
    """A thing: a saved way of narrowing a dataset, which evaluation can use again."""

    __tablename__ = "slice"
    __table_args__ = (UniqueConstraint("dataset_id", "name"),)
    KIND = "slice"

    dataset_id: Mapped[str] = mapped_column(ForeignKey("dataset.id"))
    name: Mapped[str] = mapped_column(String(100))
    where: Mapped[dict] = mapped_column(JSON)

    def describe(self) -> Described:
        """The slice's name and what it is narrowed to."""
        return Described(f"slice {self.name}", {"where": self.where})


class Labelling(InProject, Record):
    """A thing: a task to label pictures by key; each answer becomes a decision on its item."""

    __tablename__ = "labelling"
    __table_args__ = (UniqueConstraint("dataset_id", "name"),)
    KIND = "labelling"

    dataset_id: Mapped[str] = mapped_column(ForeignKey("dataset.id"))
    name: Mapped[str] = mapped_column(String(100))
    question: Mapped[str] = mapped_column(Text)
    column: Mapped[str] = mapped_column(String(60))  # "name" for a caption, else the attribute that is asked for
    choices: Mapped[list] = mapped_column(JSON, default=list)
    where: Mapped[dict] = mapped_column(JSON, default=dict)
    closed: Mapped[bool] = mapped_column(Boolean, default=False)

    def describe(self) -> Described:
        """The question that is asked."""
        return Described(f"labelling {self.name}", {"question": self.question, "choices": self.choices})


class DatasheetAnswer(InProject, Record):
    """A thing: what a person answered to a question of a dataset's datasheet that nothing measures."""

    __tablename__ = "datasheet_answer"
    __table_args__ = (UniqueConstraint("dataset_id", "question"),)
    KIND = "datasheet_answer"

    dataset_id: Mapped[str] = mapped_column(ForeignKey("dataset.id"))
    question: Mapped[str] = mapped_column(String(60))
    text: Mapped[str] = mapped_column(Text)
    answered_by: Mapped[str] = mapped_column(String(200), default="")  # whoever wrote the present text
    revision: Mapped[int] = mapped_column(Integer, default=1)

    def describe(self) -> Described:
        """Which question was answered, and how."""
        return Described(f"answer to '{self.question}'", {"text": self.text})
