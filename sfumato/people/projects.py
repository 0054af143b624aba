"""Projects: what a team works on together. Each sees its own records alone."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Select, func, select
from sqlalchemy.exc import IntegrityError

from sfumato.actions import Act, action, query
from sfumato.actions.permissions import ASSIGNABLE
from sfumato.db import now
from sfumato.errors import Conflict, Forbidden, InvalidInput, unknown
from sfumato.people.edits import edit
from sfumato.people.members import let_in
from sfumato.people.names import own_person, printable
from sfumato.people.records import Membership, Project


@dataclass(frozen=True)
class ProjectView:
    """A project as its members see it."""

    id: str
    name: str
    description: str
    roles: list[str]
    members: int
    made_at: datetime
    archived_at: datetime | None
    version: int


@action("project.create", needs="project.write", doors=("api", "cli", "web"), archived=True)
def create_project(act: Act, *, name: str, description: str = "") -> ProjectView:
    """Make a project, with whoever makes it as its admin."""
    said = _free_name(act, name)
    row = Project(
        made_by=act.actor.id, name=said, description=description.strip()[:2_000], version=1,
        changed_by=act.actor.id, changed_at=now(),
    )  # fmt: skip
    act.session.add(row)
    _settle(act)
    if act.actor.project is not None:
        let_in(act, own_person(act), ["admin"], project=row.id)
    act.says(f"made the project {said}", subject=row.ref, outside=True)
    return _view(act, row)


@query("project.list", needs="account.read", doors=("api", "cli", "web"))
def list_projects(act: Act, *, archived: bool = False) -> list[ProjectView]:
    """The projects that one is a member of, by name; with `archived` those too that are put away."""
    rows = act.session.scalars(_visible(act).order_by(Project.name)).all()
    return [_view(act, row) for row in rows if archived or row.archived_at is None]


@query("project.show", needs="account.read", doors=("api", "cli", "web"))
def show_project(act: Act, *, project: str = "") -> ProjectView:
    """One project by its name or id, else the present one; raises NotFound with the nearest name."""
    return _view(act, find_project(act, project))


@action("project.rename", needs="project.write", doors=("api", "cli", "web"), archived=True)
def rename_project(
    act: Act, *, project: str = "", name: str, description: str | None = None, version: int | None = None
) -> ProjectView:
    """Give a project another name, and another description if one is given; `version` is the one looked at."""
    row = edit(act, _own(act, project), version)
    before = row.name
    call_project(act, row, name)
    if description is not None:
        row.description = description.strip()[:2_000]
    _settle(act)
    act.says(f"renamed the project {before} to {row.name}" if before != row.name else f"described {before} anew",
             subject=row.ref)  # fmt: skip
    return _view(act, row)


@action("project.archive", needs="project.write", doors=("api", "cli", "web"))
def archive_project(act: Act, *, project: str = "", version: int | None = None) -> ProjectView:
    """Put a project away: it can be looked at, and nothing in it changes until it is taken out again."""
    row = edit(act, _own(act, project), version)
    if row.archived_at is None:
        if act.session.scalar(select(func.count(Project.id)).where(Project.archived_at.is_(None))) == 1:
            raise Conflict("It is the only project that is not put away.", hint="Make another one first.")
        row.archived_at = now()
        act.says(f"put the project {row.name} away", subject=row.ref)
    return _view(act, row)


@action("project.unarchive", needs="project.write", doors=("api", "cli", "web"), archived=True)
def unarchive_project(act: Act, *, project: str = "", version: int | None = None) -> ProjectView:
    """Take a project out again that was put away."""
    row = edit(act, _own(act, project), version)
    if row.archived_at is not None:
        row.archived_at = None
        act.says(f"took the project {row.name} out again", subject=row.ref)
    return _view(act, row)


def find_project(act: Act, said: str) -> Project:
    """The project of this name or id among those that the actor may see, the present one for ""; raises NotFound."""
    wanted = printable(said) or act.workspace.project
    row = act.session.scalar(_visible(act).where((Project.id == wanted) | (Project.name == wanted)))
    if row is None:
        raise unknown("project", said or "here", act.session.scalars(_visible(act).with_only_columns(Project.name)))
    return row


def call_project(act: Act, row: Project, name: str) -> None:
    """Give a project that was taken for a change a name, if it has another; raises Conflict or InvalidInput."""
    if name.strip() != row.name:
        row.name = _free_name(act, name)
        _settle(act)


def _own(act: Act, said: str) -> Project:
    """The same, to be changed; raises Forbidden where the actor's roles are those of another project."""
    row = find_project(act, said)
    if act.actor.project not in (None, row.id):
        raise Forbidden("A project is changed from within.", hint=f"Go to {row.name} first.")
    return row


def _visible(act: Act) -> Select[Project]:
    if act.actor.project is None:
        return select(Project)
    if act.actor.scopes is not None and "account.enter" not in act.actor.scopes:  # a token, which is for one project
        return select(Project).where(Project.id == act.actor.project)
    theirs = select(Membership.project).where(Membership.person == act.actor.id.removeprefix("person/"))
    return select(Project).where(Project.id.in_(theirs))


def _free_name(act: Act, name: str) -> str:
    said = " ".join(name.split())
    if not said or len(said) > 100 or not said.isprintable():
        raise InvalidInput("A project's name has 1 to 100 letters.", hint="Take another name.")
    if act.session.scalar(select(Project.id).where(Project.name == said)) is not None:
        raise Conflict(f"There is a project '{said}' already.", hint="Take another name.")
    return said


def _settle(act: Act) -> None:
    try:
        act.session.flush()
    except IntegrityError as problem:
        raise Conflict("There is a project of this name already.", hint="Take another name.") from problem


def _view(act: Act, row: Project) -> ProjectView:
    members = act.session.execute(select(Membership.person, Membership.roles).where(Membership.project == row.id)).all()
    mine = act.actor.id.removeprefix("person/")
    roles: list[str] = next((list(roles) for person, roles in members if person == mine), [])
    if act.actor.project is None and not roles:
        roles = [role for role in ASSIGNABLE if role in act.actor.roles]
    return ProjectView(
        row.id, row.name, row.description, roles, len(members), row.made_at, row.archived_at, row.version
    )
