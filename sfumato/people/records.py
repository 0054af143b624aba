"""Tables of projects, people and what they sign in with. Names of people live here and nowhere else.

None of these has a KIND: no trace or search of a project comes upon them.
"""

from datetime import datetime

from sqlalchemy import JSON, Boolean, Integer, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from sfumato.db import UTC, Record, now
from sfumato.people import asking_records as asking_records  # its tables are found with these

STUDIO = "studio/"  # who does what the first start sets up by itself
NOBODY = "visitor/"  # who acts before anybody has signed in; no name at any machine holds a stroke


class Edited:
    """What several people may edit at once: each change raises `version` and says who made it."""

    version: Mapped[int] = mapped_column(Integer, default=1)
    changed_by: Mapped[str] = mapped_column(String(200), default="")
    changed_at: Mapped[datetime] = mapped_column(UTC, default=now)


class Project(Edited, Record):
    """A thing: what a team works on together; all else belongs to one."""

    __tablename__ = "project"

    name: Mapped[str] = mapped_column(String(100), unique=True)
    description: Mapped[str] = mapped_column(Text, default="")
    archived_at: Mapped[datetime | None] = mapped_column(UTC)

    @property
    def ref(self) -> str:
        """How events name it."""
        return f"project/{self.id}"


class Person(Edited, Record):
    """Somebody: with a sign-in name and a password in a team, without them at the machine itself."""

    __tablename__ = "person"

    name: Mapped[str] = mapped_column(String(100))
    login: Mapped[str | None] = mapped_column(String(200), unique=True)
    password: Mapped[str | None] = mapped_column(String(200))
    owner: Mapped[bool] = mapped_column(Boolean, default=False)
    disabled_at: Mapped[datetime | None] = mapped_column(UTC)

    @property
    def ref(self) -> str:
        """How records and events name whoever made them."""
        return f"person/{self.id}"


class Membership(Edited, Record):
    """A person's roles in a project."""

    __tablename__ = "membership"
    __table_args__ = (UniqueConstraint("person", "project"),)

    person: Mapped[str] = mapped_column(String(36))
    project: Mapped[str] = mapped_column(String(36), index=True)
    roles: Mapped[list] = mapped_column(JSON, default=list)


class SignIn(Record):
    """A session that the server keeps; what the browser holds is known here by its hash alone."""

    __tablename__ = "sign_in"

    person: Mapped[str] = mapped_column(String(36), index=True)
    secret_hash: Mapped[str] = mapped_column(String(64), unique=True)
    csrf: Mapped[str] = mapped_column(String(64))
    used_at: Mapped[datetime] = mapped_column(UTC, default=now)
    ends_at: Mapped[datetime] = mapped_column(UTC)
    user_agent: Mapped[str] = mapped_column(String(200), default="")
    revoked_at: Mapped[datetime | None] = mapped_column(UTC)


class Token(Record):
    """What a program acts with for a person in a project: shown once, and known here by its hash alone."""

    __tablename__ = "token"

    person: Mapped[str] = mapped_column(String(36), index=True)
    project: Mapped[str] = mapped_column(String(36), index=True)
    name: Mapped[str] = mapped_column(String(100))
    prefix: Mapped[str] = mapped_column(String(12))
    secret_hash: Mapped[str] = mapped_column(String(64), unique=True)
    scopes: Mapped[list] = mapped_column(JSON)
    expires_at: Mapped[datetime] = mapped_column(UTC)
    used_at: Mapped[datetime | None] = mapped_column(UTC)
    revoked_at: Mapped[datetime | None] = mapped_column(UTC)


class Invitation(Record):
    """A code by which somebody may join a project, once."""

    __tablename__ = "invitation"

    project: Mapped[str] = mapped_column(String(36), index=True)
    secret_hash: Mapped[str] = mapped_column(String(64), unique=True)
    roles: Mapped[list] = mapped_column(JSON)
    note: Mapped[str] = mapped_column(String(200), default="")
    expires_at: Mapped[datetime] = mapped_column(UTC)
    used_at: Mapped[datetime | None] = mapped_column(UTC)
    used_by: Mapped[str | None] = mapped_column(String(36))
    revoked_at: Mapped[datetime | None] = mapped_column(UTC)


class OwnerCode(Record):
    """A code that makes whoever has it an owner of the workspace, once; the command line alone prints it."""

    __tablename__ = "owner_code"

    secret_hash: Mapped[str] = mapped_column(String(64), unique=True)
    expires_at: Mapped[datetime] = mapped_column(UTC)
    used_at: Mapped[datetime | None] = mapped_column(UTC)
    used_by: Mapped[str | None] = mapped_column(String(36))


class PasswordCode(Record):
    """A code by which one person sets a new password, once; the command line alone prints it."""

    __tablename__ = "password_code"

    person: Mapped[str] = mapped_column(String(36), index=True)
    secret_hash: Mapped[str] = mapped_column(String(64), unique=True)
    expires_at: Mapped[datetime] = mapped_column(UTC)
    used_at: Mapped[datetime | None] = mapped_column(UTC)
