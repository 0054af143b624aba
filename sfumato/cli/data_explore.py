"""`sfumato data counts`, and slices: what a dataset's pages show and do, for a terminal and for files."""

from pathlib import Path
from typing import Annotated

import typer

from sfumato.cli.narrowing import Narrowed, narrowed
from sfumato.cli.speech import answer, opened, table
from sfumato.errors import InvalidInput

Name = Annotated[str, typer.Argument(metavar="NAME", help="The dataset's name.")]
Slice = Annotated[str, typer.Argument(metavar="SLICE", help="The slice's name.")]
Drawn = Annotated[str, typer.Argument(metavar="WHAT", help="A measured column, one of values, words, pairs, crosstab.")]
Kind = Annotated[str, typer.Option(metavar="KIND", help="png, svg or json (Vega-Lite).")]
Csv = Annotated[bool, typer.Option("--csv", help="Write it as CSV.")]
Column = Annotated[str, typer.Option(metavar="COLUMN", help="For a crosstab: a column or a declared attribute.")]


@narrowed
def show_counts(
    context: typer.Context,
    name: Name,
    of: Annotated[str, typer.Argument(metavar="WHAT", help="columns, values, words, pairs or crosstab.")] = "values",
    *,
    meant: Narrowed,
    rows: Column = "",
    columns: Column = "",
    as_csv: Csv = False,
) -> None:
    """Show how a dataset's columns, values and words lie, or one column against another.

    Example: `sfumato data counts emoji-styles words --csv`
    """
    from sfumato.data.counts import show_counts as ask

    with opened(context) as workspace:
        where = meant.where(workspace) if meant.given else None
        found = ask(workspace, name=name, of=of, where=where, rows=rows, columns=columns)
    if as_csv:
        typer.echo(found.csv(), nl=False)
        return
    lines = [tuple("" if one is None else one for one in row) for row in found.rows]
    answer(context, found, lambda: table(found.head, lines, empty="There is nothing to show."))


@narrowed
def show_chart(
    context: typer.Context,
    name: Name,
    of: Drawn,
    *,
    meant: Narrowed,
    rows: Column = "",
    columns: Column = "",
    to: Kind = "",
    out: Annotated[Path | None, typer.Option(metavar="FILE", help="Where to; its ending says the kind.")] = None,
) -> None:
    """Write a chart of a dataset as PNG, SVG or Vega-Lite; without a file or a kind, print its Vega-Lite.

    Example: `sfumato data chart emoji-styles licence --to svg --out licences.svg`
    """
    from sfumato.data.charts import chart_file
    from sfumato.data.charts import show_chart as ask_chart
    from sfumato.store.files import write_whole

    with opened(context) as workspace:
        where = meant.where(workspace) if meant.given else None
        found = ask_chart(workspace, name=name, of=of, where=where, rows=rows, columns=columns)
    if to and out is not None and out.suffix and out.suffix != f".{to}":
        raise InvalidInput(f"A chart as {to} is no {out.suffix} file.", hint=f"Name it {out.stem}.{to}.")
    kind = to or (out.suffix.removeprefix(".") if out else "") or "json"
    written = chart_file(found, kind)
    if out is None and kind == "json":
        answer(context, found.spec, lambda: written.decode())
        return
    target = (out or Path(f"{name}-{of.replace(' ', '-')}.{kind}")).expanduser()
    write_whole(target, written)
    answer(context, {"title": found.title, "file": str(target)}, lambda: f"Wrote “{found.title}” to {target}.")


def slices(context: typer.Context, name: Name) -> None:
    """List the saved slices of a dataset, each with how many pictures it means now.

    Example: `sfumato data slices emoji-styles`
    """
    from sfumato.data.slices import list_slices

    with opened(context) as workspace:
        found = list_slices(workspace, name=name)
    rows = [(one.name, one.n, one.where.model_dump_json(exclude_defaults=True)) for one in found]
    answer(context, found, lambda: table(["slice", ">pictures", "narrowed to"], rows, empty="No slices yet."))


@narrowed
def save_slice(
    context: typer.Context,
    name: Name,
    slice_name: Slice,
    *,
    meant: Narrowed,
    replace: Annotated[bool, typer.Option("--replace", help="Replace one of the same name.")] = False,
) -> None:
    """Save a way of narrowing a dataset, to come back to and to evaluate on.

    Example: `sfumato data save-slice emoji-styles dark --range brightness=..0.2`
    """
    from sfumato.data.slices import save_slice as save

    with opened(context) as workspace:
        one = save(workspace, name=name, slice_name=slice_name, where=meant.where(workspace), replace=replace)
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
    app.command("chart")(show_chart)
    app.command("slices")(slices)
    app.command("save-slice")(save_slice)
    app.command("drop-slice")(drop_slice)
