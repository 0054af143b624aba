"""Actions: every verb a person can do is one typed function with one permission, transaction and event."""

from sfumato.actions.registry import ACTIONS, QUERIES, Act, action, allowed, query
from sfumato.actions.results import to_json
from sfumato.actions.workspace import Actor, Workspace

__all__ = ["ACTIONS", "QUERIES", "Act", "Actor", "Workspace", "action", "allowed", "query", "to_json"]
