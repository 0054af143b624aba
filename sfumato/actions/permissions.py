"""The one table that maps roles to permissions. What is not granted here is denied."""

DESKS = {
    "data scientist": {"dataset.write"},
    "ML engineer": {"dataset.write", "training.write", "evaluation.write"},
    "researcher": {"training.write", "evaluation.write"},
    "prompt designer": {"image.create", "image.publish"},
    "responsible-AI advisor": {"keys.write", "workspace.care"},
    "analytics translator": {"evaluation.write"},
    "product manager": {"image.create"},
    "viewer": set(),
}
EVERYBODY = {"record.read", "job.read", "job.cancel"}
MEMBERS = {"image.create", "image.publish"}
ROLES = {role: frozenset(EVERYBODY | own | (MEMBERS if role != "viewer" else set())) for role, own in DESKS.items()} | {
    "admin": frozenset(EVERYBODY.union(MEMBERS, *DESKS.values()))
}


def may(roles: tuple[str, ...], permission: str) -> bool:
    """Whether somebody with these roles holds the permission; unknown roles hold none."""
    return any(permission in ROLES.get(role, frozenset()) for role in roles)
