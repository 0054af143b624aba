"""The decorators that make a function an action or a query, and the lists of both."""

import functools
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Concatenate, ParamSpec, TypeVar

from sqlalchemy import column, select, table, update
from sqlalchemy.orm import Session

from sfumato.actions.arguments import check_arguments
from sfumato.actions.once import begin
from sfumato.actions.permissions import may
from sfumato.actions.records import Concern, Event, WorkspaceInfo
from sfumato.actions.workspace import Actor, Workspace
from sfumato.errors import Conflict, Forbidden
from sfumato.store import Store

P = ParamSpec("P")
R = TypeVar("R")
ACTIONS: dict[str, Any] = {}
QUERIES: dict[str, Any] = {}
PROJECT = table("project", column("id"), column("archived_at"))  # of the people, who are above


@dataclass
class Act:
    """What an action works with: a session within its transaction, the files, and who acts."""

    session: Session
    workspace: Workspace
    subject: str = ""
    summary: str = ""
    details: dict[str, Any] = field(default_factory=dict)
    private: bool = False
    outside: bool = False
    by: str = ""
    concerned: set[str] = field(default_factory=set)

    @property
    def store(self) -> Store:
        """The workspace's files."""
        return self.workspace.store

    @property
    def actor(self) -> Actor:
        """The person, token or rule that acts."""
        return self.workspace.actor

    def says(
        self, summary: str, *, subject: str = "", private: bool = False, outside: bool = False, by: str = "",
        **details: Any,
    ) -> None:  # fmt: skip
        """Set what the event of this action will say; without it nothing changed and no event is written.

        A `private` one is shown only to whoever acts; one `outside` concerns the workspace, and no project shows it.
        `by` is who did it, where that became known only within the action.
        """
        self.summary, self.subject, self.details = summary, subject, details
        self.private, self.outside, self.by = private, outside, by

    def concerns(self, *whom: str) -> None:
        """Tell those whom the event concerns: person/ID, or role/NAME; nobody is told of what they did themselves."""
        self.concerned |= {one for one in whom if one and one != self.actor.id}


def require(workspace: Workspace, permission: str) -> None:
    """Raise Forbidden, naming what is missing, unless the actor holds the permission in the workspace's project."""
    actor = workspace.actor
    if actor.project not in (None, workspace.project):
        raise Forbidden(f"{actor.name} acts in another project.", hint="Ask an admin of this project to be let in.")
    if actor.scopes is not None and permission not in actor.scopes and may(actor.roles, permission):
        raise Forbidden(
            f"This needs the permission '{permission}', which was not granted here.",
            hint="Use a token that has it, or ask an owner of the workspace.",
        )
    if not may(actor.roles, permission):
        raise Forbidden(
            f"{actor.name} may not do this: it needs the permission '{permission}'.",
            hint="Ask an admin of the project for a role that has it.",
        )


def allowed(workspace: Workspace, permission: str) -> bool:
    """Whether the actor holds the permission in the workspace's project: what a door shows, `require` decides."""
    try:
        require(workspace, permission)
    except Forbidden:
        return False
    return True


def action(
    name: str, *, needs: str, doors: tuple[str, ...] = ("api", "cli", "library"), archived: bool = False
) -> Callable[[Callable[Concatenate[Act, P], R]], Callable[Concatenate[Workspace, P], R]]:
    """Make a function the action `name`: permission `needs`, one write transaction, one event.

    What its parameters say of choices and bounds holds for every caller, who is told by InvalidInput. In
    a project that was put away only what is `archived` can be done.
    """

    def wrap(function: Callable[Concatenate[Act, P], R]) -> Callable[Concatenate[Workspace, P], R]:
        @functools.wraps(function)
        def run(workspace: Workspace, *args: P.args, **options: P.kwargs) -> R:
            require(workspace, needs)
            check_arguments(function, options)
            with workspace.write() as session:
                if not archived:
                    _refuse_archived(session, workspace.project)
                act = Act(session, workspace)
                kept = begin(session, workspace.actor.id, workspace.once) if workspace.once else None
                result = function(act, *args, **options)
                if act.summary:
                    append_event(act, name)
                if kept is not None and workspace.once is not None:
                    kept.answer = workspace.once.encode(result)
            return result

        return _register(ACTIONS, run, name, needs, doors)

    return wrap


def query(
    name: str, *, needs: str = "record.read", doors: tuple[str, ...] = ("api", "cli", "library")
) -> Callable[[Callable[Concatenate[Act, P], R]], Callable[Concatenate[Workspace, P], R]]:
    """Make a function the query `name`: permission `needs`, one read transaction, no event."""

    def wrap(function: Callable[Concatenate[Act, P], R]) -> Callable[Concatenate[Workspace, P], R]:
        @functools.wraps(function)
        def run(workspace: Workspace, *args: P.args, **options: P.kwargs) -> R:
            require(workspace, needs)
            with workspace.read() as session:
                return function(Act(session, workspace), *args, **options)

        return _register(QUERIES, run, name, needs, doors)

    return wrap


def _refuse_archived(session: Session, project: str) -> None:
    if session.scalar(select(PROJECT.c.archived_at).where(PROJECT.c.id == project)) is not None:
        raise Conflict("This project is put away, so nothing in it changes.", hint="Take it out again first.")


def _register(known: dict[str, Any], run: Any, name: str, needs: str, doors: tuple[str, ...]) -> Any:
    run.name, run.needs, run.doors, run.doc = name, needs, doors, (run.__doc__ or "").strip()
    known[name] = run
    return run


def append_event(act: Act, name: str) -> None:
    """Append one event; its position is given under a lock that lasts until the commit."""
    act.session.execute(
        update(WorkspaceInfo).where(WorkspaceInfo.key == "events").values(value=WorkspaceInfo.value)
    )  # takes the row's lock on PostgreSQL; SQLite's writer lock is held already
    row = act.session.execute(
        select(WorkspaceInfo).where(WorkspaceInfo.key == "events").execution_options(populate_existing=True)
    ).scalar_one()
    position = int(row.value) + 1
    row.value = str(position)
    act.session.add(
        Event(
            made_by=act.by or act.actor.id,
            position=position,
            action=name,
            subject=act.subject,
            summary=act.summary,
            details=act.details,
            private_to=act.actor.id if act.private else "",
            **({"project_id": ""} if act.outside else {}),
        )
    )
    told = () if act.private else sorted(act.concerned)
    act.session.add_all(Concern(whom=whom, position=position) for whom in told)
