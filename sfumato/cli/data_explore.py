"""`sfumato data counts` and the commands of slices: what a dataset's pages show, for a terminal and for files."""

from typing import Annotated

import typer

from sfumato.cli.speech import answer, opened, table

Name = Annotated[str, typer.Argument(metavar="NAME", help="The dataset's name.")]
Slice = Annotated[str, typer.Argument(metavar="SLICE", help="The slice's name.")]
Narrowed = Annotated[
    str, typer.Option("--where", metavar="JSON", help='Which pictures are meant, such as {"style": "noto"}.')
]
Csv = Annotated[bool, typer.Option("--csv", help="Write it as CSV.")]
Column = Annotated[str, typer.Option(metavar="COLUMN", help="For a crosstab: a column or a declared attribute.")]


def read_where(text: str) -> "object":
    """A narrowing from JSON, "" for everything."""
    from pydantic import ValidationError

    from sfumato.data.narrowing import Where
    from sfumato.errors import InvalidInput

    try:
        return Where.model_validate_json(text) if text else Where()
    except ValidationError as problem:
        first = problem.errors()[0]
        part = ".".join(map(str, first["loc"])) or "narrowing"
        raise InvalidInput(f"The {part} cannot be read: {first['msg']}.", hint='Such as {"style": "noto"}.') from problem


def show_counts(
    context: typer.Context,
    name: Name,
    of: Annotated[str, typer.Argument(metavar="WHAT", help="columns, values, words, pairs or crosstab.")] = "values",
    where: Narrowed = "",
    rows: Column = "",
    columns: Column = "",
    as_csv: Csv = False,
) -> None:
    """Show how a dataset's columns, values and words lie, or one column against another.

    Example: `sfumato data counts emoji-styles words --csv`
    """
    from sfumato.data.counts import show_counts as ask

    with opened(context) as workspace:
        found = ask(workspace, name=name, of=of, where=read_where(where), rows=rows, columns=columns)
    if as_csv:
        typer.echo(found.csv(), nl=False)
        return
    lines = [tuple("" if one is None else one for one in row) for row in found.rows]
    answer(context, found, lambda: table(found.head, lines, empty="There is nothing to show."))


def slices(context: typer.Context, name: Name) -> None:
    """List the saved slices of a dataset, each with how many pictures it means now.

    Example: `sfumato data slices emoji-styles`
    """
    from sfumato.data.slices import list_slices

    with opened(context) as workspace:
        found = list_slices(workspace, name=name)
    rows = [(one.name, one.n, one.where.model_dump_json(exclude_defaults=True)) for one in found]
    answer(context, found, lambda: table(["slice", ">pictures", "narrowed to"], rows, empty="No slices yet."))


def save_slice(
    context: typer.Context,
    name: Name,
    slice_name: Slice,
    where: Narrowed = "",
    replace: Annotated[bool, typer.Option("--replace", help="Replace one of the same name.")] = False,
) -> None:
    """Save a way of narrowing a dataset, to come back to and to evaluate on.

    Example: `sfumato data save-slice emoji-styles dark --where '{"ranges": {"brightness": [null, 0.2]}}'`
    """
    from sfumato.data.slices import save_slice as save

    with opened(context) as workspace:
        one = save(workspace, name=name, slice_name=slice_name, where=read_where(where), replace=replace)
    answer(context, one, lambda: f"Saved the slice {one.name}: {one.n:,} pictures.")


def drop_slice(context: typer.Context, name: Name, slice_name: Slice) -> None:
    """Forget a saved slice; its pictures stay as they are.

    Example: `sfumato data drop-slice emoji-styles dark`
    """
    from sfumato.data.slices import drop_slice as drop

    with opened(context) as workspace:
        one = drop(workspace, name=name, slice_name=slice_name)
    answer(context, one, lambda: f"Dropped the slice {one.name}. Its {one.n:,} pictures stay.")


def add_to(app: typer.Typer) -> None:
    """Add these commands to a group."""
    app.command("counts")(show_counts)
    app.command("slices")(slices)
    app.command("save-slice")(save_slice)
    app.command("drop-slice")(drop_slice)
