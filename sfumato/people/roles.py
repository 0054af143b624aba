"""Roles and what each may do: the table as people read it."""

from dataclasses import dataclass

from sfumato.actions import Act, query
from sfumato.actions.permissions import ABOUT, ASSIGNABLE, PERMISSIONS, ROLES


@dataclass(frozen=True)
class RoleView:
    """A role: what it is for, and what it may do."""

    name: str
    about: str
    permissions: list[str]


@dataclass(frozen=True)
class PermissionView:
    """A permission: what it lets one do, and who holds it."""

    name: str
    about: str
    roles: list[str]


@dataclass(frozen=True)
class Table:
    """All roles and all permissions."""

    roles: list[RoleView]
    permissions: list[PermissionView]


@query("people.permissions", needs="account.read", doors=("api", "cli", "web"))
def show_permissions(act: Act) -> Table:
    """Which role may do what: what is not granted here is denied."""
    return Table(
        [RoleView(role, ABOUT[role], sorted(ROLES[role])) for role in ASSIGNABLE],
        [
            PermissionView(name, about, [role for role in ASSIGNABLE if name in ROLES[role]])
            for name, about in PERMISSIONS.items()
        ],
    )
