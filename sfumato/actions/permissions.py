"""The one table that maps roles to permissions. What is not granted here is denied."""

PERMISSIONS = {
    "account.enter": "Sign in, accept an invitation, and look after one's own account.",
    "account.read": "See who one is here, one's projects, and what each role may do.",
    "ask.write": "Ask a person or a role for something, and close asks that wait for oneself.",
    "audit.read": "Read and export the log of everything that was done.",
    "comment.write": "Comment on any record.",
    "criterion.write": "Say what a model has to reach before it goes live.",
    "dataset.write": "Collect pictures, change datasets, and freeze versions.",
    "evaluation.write": "Measure models.",
    "image.create": "Have pictures drawn.",
    "image.publish": "Let pictures out of the studio, marked and signed.",
    "job.cancel": "Stop one's own jobs; an admin stops everybody's.",
    "job.read": "See what runs and how far it is.",
    "keys.write": "Renew the key that pictures are signed with.",
    "model.promote": "Let a model go live when its criterion holds, and take it back.",
    "people.write": "Invite people, give them roles, and remove them.",
    "project.write": "Make projects; rename and archive this one.",
    "record.read": "See what the project holds, and trace it.",
    "review.write": "Rate, approve and reject pictures with a reason.",
    "token.write": "Make and revoke one's own API tokens.",
    "training.write": "Train models, and resume and stop runs.",
    "workspace.care": "Check, back up, restore and clean the whole workspace.",
}
EVERYBODY = {"account.enter", "account.read", "comment.write", "record.read", "job.read", "job.cancel", "token.write"}
MEMBERS = {"ask.write", "image.create", "image.publish", "review.write"}
DESKS = {
    "data scientist": {"dataset.write"},
    "ML engineer": {"dataset.write", "training.write", "evaluation.write", "model.promote"},
    "researcher": {"training.write", "evaluation.write"},
    "prompt designer": set(),
    "responsible-AI advisor": {"audit.read", "keys.write", "criterion.write"},
    "analytics translator": {"evaluation.write"},
    "product manager": {"model.promote", "criterion.write"},
}
ABOUT = {
    "data scientist": "Collects, cleans and freezes the pictures that models learn from.",
    "ML engineer": "Trains and measures models, and keeps them running.",
    "researcher": "Tries new ways of training, and measures what they bring.",
    "prompt designer": "Finds the words and settings that make good pictures.",
    "responsible-AI advisor": "Watches over licences, marks and what may be used, and sets what must hold.",
    "analytics translator": "Turns measurements and judgements into words that decide.",
    "product manager": "Decides what is made for whom, and when it goes live.",
    "viewer": "Looks at everything and comments; changes nothing.",
    "admin": "Holds every permission: looks after people, the project and the workspace.",
}
VISITOR = "visitor"  # whoever has not signed in
ROLES = {role: frozenset(EVERYBODY | MEMBERS | own) for role, own in DESKS.items()} | {
    "viewer": frozenset(EVERYBODY),
    "admin": frozenset(PERMISSIONS),
    VISITOR: frozenset({"account.enter", "account.read"}),
}
ASSIGNABLE = tuple(ABOUT)


def may(roles: tuple[str, ...], permission: str) -> bool:
    """Whether somebody with these roles holds the permission; unknown roles hold none."""
    return any(permission in ROLES.get(role, frozenset()) for role in roles)


def held(roles: tuple[str, ...]) -> frozenset[str]:
    """Every permission that somebody with these roles holds."""
    return frozenset().union(*(ROLES.get(role, frozenset()) for role in roles))
