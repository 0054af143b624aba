"""`sfumato projects`: what the team works on, each with records of its own."""

from typing import TYPE_CHECKING, Annotated

import typer

from sfumato.cli.speech import answer, opened, pairs, table

if TYPE_CHECKING:
    from sfumato.people.projects import ProjectView

app = typer.Typer(add_completion=False, no_args_is_help=True, help="See, make, rename and put away projects.")
Name = Annotated[str, typer.Argument(metavar="NAME", help="Its name or id.")]
Description = Annotated[str | None, typer.Option(metavar="TEXT", help="What it is about.")]


@app.command("list")
def list_(
    context: typer.Context,
    archived: Annotated[bool, typer.Option("--archived", help="Those too that are put away.")] = False,
) -> None:
    """List the projects.

    Example: `sfumato projects list --archived`
    """
    from sfumato.people.projects import list_projects

    def row(one: "ProjectView") -> tuple[str | int, ...]:
        return one.name, one.members, f"{one.made_at:%Y-%m-%d}", "put away" if one.archived_at else "", one.description

    with opened(context) as workspace:
        found = list_projects(workspace, archived=archived)
    headings = ["project", ">members", "since", "", "about"]
    answer(context, found, lambda: table(headings, map(row, found), empty="No projects."))


@app.command()
def show(context: typer.Context, name: Annotated[str, typer.Argument(metavar="NAME")] = "") -> None:
    """Show one project, or the one that commands work in.

    Example: `sfumato projects show emoji`
    """
    from sfumato.people.projects import show_project

    with opened(context) as workspace:
        one = show_project(workspace, project=name)
    known = [
        ("project", one.name), ("about", one.description), ("members", one.members), ("id", one.id),
        ("since", f"{one.made_at:%Y-%m-%d}"), ("put away", f"{one.archived_at:%Y-%m-%d}" if one.archived_at else ""),
    ]  # fmt: skip
    answer(context, one, lambda: pairs(known))


@app.command()
def create(
    context: typer.Context,
    name: Annotated[str, typer.Argument(metavar="NAME", help="What it is called.")],
    description: Description = None,
) -> None:
    """Make a project. Its records are its own; names of datasets, runs and models stay unique in the workspace.

    Example: `sfumato projects create "llamas" --description "A better llama"`
    """
    from sfumato.people.projects import create_project

    with opened(context) as workspace:
        one = create_project(workspace, name=name, description=description or "")
    answer(context, one, lambda: f'Made {one.name}. Work in it with: --project "{one.name}"')


@app.command()
def rename(
    context: typer.Context,
    name: Name,
    to: Annotated[str, typer.Argument(metavar="NEW", help="Its new name.")],
    description: Description = None,
) -> None:
    """Give a project another name.

    Example: `sfumato projects rename studio emoji`
    """
    from sfumato.people.projects import rename_project

    with opened(context) as workspace:
        one = rename_project(workspace, project=name, name=to, description=description)
    answer(context, one, lambda: f"It is called {one.name} now.")


@app.command()
def archive(context: typer.Context, name: Name) -> None:
    """Put a project away: it can be looked at, and nothing in it changes.

    Example: `sfumato projects archive llamas`
    """
    from sfumato.people.projects import archive_project

    with opened(context) as workspace:
        one = archive_project(workspace, project=name)
    answer(context, one, lambda: f"{one.name} is put away. `sfumato projects unarchive` takes it out again.")


@app.command()
def unarchive(context: typer.Context, name: Name) -> None:
    """Take a project out again that was put away.

    Example: `sfumato projects unarchive llamas`
    """
    from sfumato.people.projects import unarchive_project

    with opened(context) as workspace:
        one = unarchive_project(workspace, project=name)
    answer(context, one, lambda: f"{one.name} is in use again.")
