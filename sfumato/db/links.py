"""Links: every record says which records it was made from, so that a trace can be walked both ways."""

from sqlalchemy import Index, String, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from sfumato.db.records import Base


class Link(Base):
    """One step of a trace: `child` was made from `parent`, which played the part `role`."""

    __tablename__ = "link"
    __table_args__ = (Index("ix_link_parent", "parent"),)

    child: Mapped[str] = mapped_column(String(120), primary_key=True)
    parent: Mapped[str] = mapped_column(String(120), primary_key=True)
    role: Mapped[str] = mapped_column(String(40), primary_key=True)


def link(session: Session, child: str, parent: str, role: str) -> None:
    """Write that the record `child` (kind/id) was made from `parent`; writing it again changes nothing."""
    if session.get(Link, (child, parent, role)) is None:
        session.add(Link(child=child, parent=parent, role=role))


def parents(session: Session, ref: str) -> list[tuple[str, str]]:
    """What the record `ref` was made from, as (role, ref)."""
    found = session.execute(select(Link.role, Link.parent).where(Link.child == ref).order_by(Link.role, Link.parent))
    return [(role, parent) for role, parent in found]


def children(session: Session, ref: str) -> list[tuple[str, str]]:
    """What was made from the record `ref`, as (role, ref)."""
    found = session.execute(select(Link.role, Link.child).where(Link.parent == ref).order_by(Link.role, Link.child))
    return [(role, child) for role, child in found]
