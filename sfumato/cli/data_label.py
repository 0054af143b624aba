"""`sfumato data label`: tasks to label pictures, one after the other; each answer can be undone."""

from typing import Annotated, Any

import typer

from sfumato.cli.data_decide import Name, said
from sfumato.cli.narrowing import Narrowed, narrowed
from sfumato.cli.speech import answer, counts, opened, pairs, table

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    help="""Tasks to label pictures, one after the other.

    Example: `sfumato data label next mine skin`""",
)
Task = Annotated[str, typer.Argument(metavar="TASK", help="The task's name.")]
Item = Annotated[str, typer.Argument(metavar="ITEM", help="The picture's id, or the end of it.")]


def facts(one: Any) -> list[tuple[str, Any]]:
    """What a task is and how far it is, as pairs of words."""
    return [
        ("task", one.name), ("question", one.question), ("sets", "caption" if one.column == "name" else one.column),
        ("choices", ", ".join(one.choices)), ("answered", f"{one.answered:,} of {one.n:,}"),
        ("skipped", one.skipped or ""), ("answers", counts(one.counts)), ("state", "closed" if one.closed else "open"),
    ]  # fmt: skip


@app.command()
@narrowed
def make(
    *,
    context: typer.Context,
    name: Name,
    task: Task,
    meant: Narrowed,
    question: Annotated[str, typer.Option(metavar="TEXT", help="What is asked.")],
    column: Annotated[str, typer.Option(metavar="NAME", help="The attribute to set; 'name' for the caption.")],
    choice: Annotated[list[str] | None, typer.Option(metavar="TEXT", help="An answer; say it again.")] = None,
) -> None:
    """Make a task. Without saying which pictures it is about all that are kept.

    Example: `sfumato data label make mine skin --question "Which skin?" --column skin --choice light --choice dark`
    """
    from sfumato.data.labelling import make_labelling

    with opened(context) as workspace:
        where = meant.where(workspace) if meant.given else None
        found = make_labelling(
            workspace, name=name, labelling=task, question=question, column=column, choices=choice, where=where
        )
    answer(context, found, lambda: pairs(facts(found)))


@app.command("list")
def list_(context: typer.Context, name: Name) -> None:
    """List the tasks of a dataset.

    Example: `sfumato data label list mine`
    """
    from sfumato.data.labelling import list_labellings

    with opened(context) as workspace:
        found = list_labellings(workspace, name=name)
    rows = [(one.name, one.question, f"{one.answered:,} of {one.n:,}", "closed" if one.closed else "") for one in found]
    answer(context, found, lambda: table(["task", "question", ">answered", ""], rows, empty="There is no task yet."))


@app.command()
def show(context: typer.Context, name: Name, task: Task) -> None:
    """Show how far a task is.

    Example: `sfumato data label show mine skin`
    """
    from sfumato.data.labelling import show_labelling

    with opened(context) as workspace:
        found = show_labelling(workspace, name=name, labelling=task)
    answer(context, found, lambda: pairs(facts(found)))


@app.command("next")
def next_(
    context: typer.Context,
    name: Name,
    task: Task,
    count: Annotated[int, typer.Option(min=1, max=20, help="How many.")] = 1,
) -> None:
    """Say which pictures wait for an answer.

    Example: `sfumato data label next mine skin`
    """
    from sfumato.data.labelling import label_next
    from sfumato.data.records import called

    with opened(context) as workspace:
        found = label_next(workspace, name=name, labelling=task, count=count)
    rows = [(one.id, called(one.name, one.key)) for one in found]
    answer(context, found, lambda: table(["picture", "caption"], rows, empty="Nothing waits for an answer."))


@app.command("answer")
def answer_(
    context: typer.Context,
    name: Name,
    task: Task,
    item: Item,
    text: Annotated[str, typer.Argument(metavar="ANSWER", help="One of the choices, or a caption.")],
) -> None:
    """Answer for one picture.

    Example: `sfumato data label answer mine skin 4f7a2c dark`
    """
    from sfumato.data.items import show_item
    from sfumato.data.labelling import label

    with opened(context) as workspace:
        one = show_item(workspace, id=item)
        found = label(workspace, name=name, labelling=task, id=one.id, answer=text, revision=one.revision)
    answer(context, found, lambda: said(found))


@app.command()
def skip(context: typer.Context, name: Name, task: Task, item: Item) -> None:
    """Skip a picture, of which there is nothing to say.

    Example: `sfumato data label skip mine skin 4f7a2c`
    """
    from sfumato.data.items import show_item
    from sfumato.data.labelling import label_skip

    with opened(context) as workspace:
        found = label_skip(workspace, name=name, labelling=task, id=show_item(workspace, id=item).id)
    answer(context, found, lambda: said(found))


@app.command()
def undo(context: typer.Context, name: Name, task: Task) -> None:
    """Take your last answer back.

    Example: `sfumato data label undo mine skin`
    """
    from sfumato.data.labelling import label_last
    from sfumato.data.verdicts import undo as take_back

    with opened(context) as workspace:
        found = take_back(workspace, id=label_last(workspace, name=name, labelling=task).id)
    answer(context, found, lambda: said(found))


@app.command()
def close(
    context: typer.Context,
    name: Name,
    task: Task,
    again: Annotated[bool, typer.Option("--open", help="Open it again.")] = False,
) -> None:
    """Close a task; what was answered stays.

    Example: `sfumato data label close mine skin`
    """
    from sfumato.data.labelling import close_labelling

    with opened(context) as workspace:
        found = close_labelling(workspace, name=name, labelling=task, closed=not again)
    answer(context, found, lambda: pairs(facts(found)))
