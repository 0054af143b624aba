"""Tables of datasets, their items, what was left out, and frozen versions."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Boolean, Float, ForeignKey, Index, Integer, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from sfumato.data.curation_records import (
    Appearance,
    DatasheetAnswer,
    Decided,
    Decision,
    Finding,
    Labelling,
    Scan,
    Slice,
)
from sfumato.db import UTC, Described, InProject, Record, Version, now

__all__ = [
    "Appearance", "Dataset", "DatasetVersion", "DatasheetAnswer", "Decided", "Decision", "Finding", "Item",
    "Labelling", "Quarantined", "Scan", "Slice",
]  # fmt: skip

KEPT, LEFT_OUT, ERASED = "kept", "left out", "erased"
CONSENTS = ("not needed", "given", "refused", "withdrawn")


def file_name(key: str) -> str:
    """The last part of what a picture is called in its source: a file's own name."""
    return key.rstrip("/").rpartition("/")[2] or key


def called(caption: str, key: str) -> str:
    """What a picture is called: its caption, else the name of its file."""
    return caption or file_name(key)


class Dataset(InProject, Record):
    """A thing: a named, growing collection of pictures."""

    __tablename__ = "dataset"
    KIND = "dataset"

    name: Mapped[str] = mapped_column(String(100), unique=True)
    former: Mapped[list] = mapped_column(JSON, default=list, server_default="[]")  # names that it had, which stay its
    archived_at: Mapped[datetime | None] = mapped_column(UTC)  # since when it is put away

    @property
    def names(self) -> list[str]:
        """All that it is and was called: what was asked before it was renamed says an older one."""
        return [self.name, *self.former]

    def describe(self) -> Described:
        """The dataset's name, those that it had, and whether it is put away."""
        facts: dict[str, Any] = {"was called": ", ".join(self.former)} if self.former else {}
        return Described(f"dataset {self.name}", facts | ({"state": "put away"} if self.archived_at else {}))


class Item(InProject, Record):
    """One picture of a dataset with all that is known of it; `key` is its place in its source."""

    __tablename__ = "item"
    __table_args__ = (
        UniqueConstraint("dataset_id", "source", "key"),
        Index("ix_item_dataset", "dataset_id", "id"),  # a grid's page, whatever it is narrowed to
        Index("ix_item_dataset_style", "dataset_id", "style", "id"),
        Index("ix_item_dataset_licence", "dataset_id", "licence", "id"),
        Index("ix_item_dataset_category", "dataset_id", "category", "id"),
        Index("ix_item_dataset_concept", "dataset_id", "concept", "id"),
        Index("ix_item_dataset_state", "dataset_id", "state", "id"),
    )
    KIND = "item"

    dataset_id: Mapped[str] = mapped_column(ForeignKey("dataset.id"))
    sha256: Mapped[str] = mapped_column(String(64), index=True)
    key: Mapped[str] = mapped_column(String(400))
    name: Mapped[str] = mapped_column(Text, default="")
    tags: Mapped[list] = mapped_column(JSON, default=list)
    style: Mapped[str] = mapped_column(String(60), default="")
    category: Mapped[str] = mapped_column(String(60), default="")
    concept: Mapped[str] = mapped_column(Text, default="")
    licence: Mapped[str] = mapped_column(String(60))
    author: Mapped[str] = mapped_column(String(200), default="")
    source: Mapped[str] = mapped_column(String(200))
    source_version: Mapped[str] = mapped_column(String(60), default="")
    url: Mapped[str] = mapped_column(Text, default="")
    width: Mapped[int] = mapped_column(Integer)
    height: Mapped[int] = mapped_column(Integer)
    has_alpha: Mapped[bool] = mapped_column(Boolean)
    flip_ok: Mapped[bool] = mapped_column(Boolean)
    weight: Mapped[float] = mapped_column(Float, default=1.0)
    collected_at: Mapped[datetime] = mapped_column(UTC, default=now)
    state: Mapped[str] = mapped_column(String(20), default=KEPT, server_default=KEPT)  # or LEFT_OUT, by a decision
    consent: Mapped[str] = mapped_column(String(20), default="", server_default="")  # one of CONSENTS, "" if not told
    opt_out: Mapped[str] = mapped_column(String(60), default="", server_default="")  # a signal as the file has it
    evidence: Mapped[dict] = mapped_column(JSON, default=dict, server_default="{}")  # what the file says of itself
    attributes: Mapped[dict] = mapped_column(JSON, default=dict, server_default="{}")  # as declared, by name
    suggested: Mapped[dict] = mapped_column(JSON, default=dict, server_default="{}")  # nobody has accepted it yet
    family: Mapped[str] = mapped_column(String(200), default="", server_default="")  # what no split may part
    given_split: Mapped[str] = mapped_column(String(20), default="", server_default="")  # as its source has it
    collected_sha256: Mapped[str] = mapped_column(String(64), default="", server_default="")  # if bytes were mended
    edited: Mapped[list] = mapped_column(JSON, default=list, server_default="[]")  # columns that a decision has set
    revision: Mapped[int] = mapped_column(Integer, default=1, server_default="1")  # each decision raises it

    def describe(self) -> Described:
        """What the picture shows, whose it is, and where it came from."""
        facts = {
            "licence": self.licence, "author": self.author, "source": self.source, "version": self.source_version,
            "style": self.style, "url": self.url, "sha256": self.sha256,
        }  # fmt: skip
        if self.state != KEPT:
            facts["state"] = self.state
        facts |= {name: said for name in ("consent", "opt_out", "family") if (said := getattr(self, name))}
        return Described(called(self.name, self.key), facts, picture=self.sha256)


class Quarantined(InProject, Record):
    """A fact: something in a source could not be taken, and why."""

    __tablename__ = "quarantined"
    __table_args__ = (
        UniqueConstraint("dataset_id", "source", "key"), Index("ix_quarantined_dataset", "dataset_id", "id"),
    )  # fmt: skip
    KIND = "quarantined"

    dataset_id: Mapped[str] = mapped_column(ForeignKey("dataset.id"))
    source: Mapped[str] = mapped_column(String(200))
    key: Mapped[str] = mapped_column(String(400))
    reason: Mapped[str] = mapped_column(String(60), index=True)
    detail: Mapped[str] = mapped_column(Text, default="")

    def describe(self) -> Described:
        """What was not taken, and why."""
        return Described(self.key, {"reason": self.reason, "detail": self.detail, "source": self.source})


class DatasetVersion(InProject, Version):
    """A frozen list of items; the list itself lies in the store as JSON lines."""

    __tablename__ = "dataset_version"
    KIND = "dataset_version"

    dataset_id: Mapped[str] = mapped_column(ForeignKey("dataset.id"), index=True)
    name: Mapped[str] = mapped_column(String(16))
    n: Mapped[int] = mapped_column(Integer)
    items_sha256: Mapped[str] = mapped_column(String(64))
    summary: Mapped[dict] = mapped_column(JSON)

    def describe(self) -> Described:
        """How many pictures, how they are split, and the sources with licence, author, version and count."""
        return describe_version(f"version {self.name}", {"n": self.n, **self.summary})


def describe_version(title: str, summary: dict[str, Any]) -> Described:
    """A frozen version in words, from its summary; also one that is known only from what a checkpoint says."""
    told = ("n", "splits", "licences", "concepts", "left_out", "erased")
    facts: dict[str, Any] = {name: summary[name] for name in told if name in summary}
    if summary.get("decisions", {}).get("n"):
        facts["decisions"] = summary["decisions"]["n"]
    if "n" not in facts and "splits" in facts:
        facts = {"n": sum(facts["splits"].values()), **facts}
    parts = [
        Described(
            str(source.get("source") or "a source without a name"),
            {name: source.get(name, "") for name in ("version", "licence", "author", "style", "n")},
        )
        for source in summary.get("sources", [])
    ]
    return Described(title, facts, parts)
