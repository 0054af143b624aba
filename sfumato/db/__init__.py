"""The database: engine and sessions, the base of every record, and links from child to parent."""

from sfumato.db.engine import Database, find_or_add, open_database, rows_changed
from sfumato.db.links import Link, children, link, parents
from sfumato.db.records import UTC, Base, Described, InProject, MaybePrivate, Record, Version, new_id, now
from sfumato.db.scope import ACROSS, DEFAULT_PROJECT

__all__ = [
    "ACROSS", "DEFAULT_PROJECT", "UTC", "Base", "Database", "Described", "InProject", "Link", "MaybePrivate", "Record",
    "Version",
    "children", "find_or_add", "link", "new_id", "now", "open_database", "parents", "rows_changed",
]  # fmt: skip
