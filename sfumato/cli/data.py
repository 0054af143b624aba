"""`sfumato data`: collect pictures with their origin, look at them, and freeze versions to learn from."""

from pathlib import Path
from typing import Annotated, Any

import typer

from sfumato.cli import (
    data_balance,
    data_checks,
    data_decide,
    data_documents,
    data_edit,
    data_explore,
    data_label,
    data_looks,
    data_shelf,
)
from sfumato.cli.following import follow
from sfumato.cli.images import YES, Reason, erase_one
from sfumato.cli.plugins import PlugIns, group
from sfumato.cli.speech import answer, counts, opened, pairs, table

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    help="Collect pictures with their origin, and freeze versions to learn from.",
)
Name = Annotated[str, typer.Argument(metavar="NAME", help="The dataset's name.")]


def collect(
    *,
    context: typer.Context,
    plugin: str,
    options: dict[str, Any],
    into: Annotated[str, typer.Option(metavar="NAME", help="The dataset to take them into; made if need be.")],
) -> None:
    """Collecting the same again changes nothing. What cannot be taken is counted, with the reason.

    Example: `sfumato data collect PLUGIN --into mine`
    """
    from sfumato.data.collect import collect as collect_pictures

    with opened(context) as workspace:
        job = follow(context, workspace, collect_pictures(workspace, source=plugin, into=into, options=options))
    result = job.result or {}
    left_out = f"\nLeft out: {counts(result['left_out'])}." if result.get("left_out") else ""
    answer(context, result, lambda: result.get("say", "") + left_out)


class Sources(group("sfumato.data.sources", "source", collect)):  # type: ignore[misc]
    """The sources, where the path of a folder or a file stands for the source that reads such."""

    def resolve_command(self, ctx: Any, args: list[str]) -> tuple[Any, Any, list[str]]:
        """Return name, command and what is left; raises NotFound with the nearest name."""
        place = Path(args[0]).expanduser()
        if args[0] not in self.list_commands(ctx) and place.exists():
            from sfumato.data.collect import source_at

            kind = source_at(place)
            args = [kind, "--path", *args] if kind else args
        return PlugIns.resolve_command(self, ctx, args)


sources = typer.Typer(
    add_completion=False,
    cls=Sources,
    no_args_is_help=True,
    help="""Take pictures from a source, with captions, licences and authors.

    Example: `sfumato data collect ./my-pictures --into mine`""",
)
sources.callback()(lambda: None)
app.add_typer(sources, name="collect")
data_explore.add_to(app)


def splits(version: Any) -> str:
    """Say how much of a version is learnt from and how much is held out."""
    from sfumato.data.freeze import SPLITS

    return counts({SPLITS.get(name, name): n for name, n in version.summary["splits"].items()})


@app.command()
def freeze(context: typer.Context, name: Name) -> None:
    """Name exactly what a dataset holds now, with some of it held out, so that runs can learn from it.

    Example: `sfumato data freeze emoji-styles`
    """
    from sfumato.data.freeze import freeze as freeze_dataset

    with opened(context) as workspace:
        version = freeze_dataset(workspace, name=name)
    begin, holds = "Froze" if version.is_new else "Nothing has changed since", splits(version)
    left_out = version.summary.get("left_out", {})
    more = f"\nLeft out: {counts(left_out)}." if left_out else ""
    answer(context, version, lambda: f"{begin} {version.label}: {version.n:,} pictures ({holds}).{more}")


@app.command()
def erase(
    context: typer.Context,
    item: Annotated[str, typer.Argument(metavar="ITEM", help="Its id, the end of it, or the picture's SHA-256.")],
    reason: Reason,
    yes: Annotated[bool, YES] = False,
) -> None:
    """Erase a picture for good: its bytes leave every dataset, its hash and the reason stay, it is not taken again.

    Frozen versions count the gap; runs and cards leave it out from now on.

    Example: `sfumato data erase 4f7a2c --reason "the person withdrew consent"`
    """
    erase_one(context, item, reason, yes=yes, among=("item",))


@app.command("list")
def list_(
    context: typer.Context,
    archived: Annotated[bool, typer.Option("--archived", help="Those too that are put away.")] = False,
) -> None:
    """List the datasets.

    Example: `sfumato data list --archived`
    """
    from sfumato.data.collect import list_datasets
    from sfumato.data.shelf import count_archived

    with opened(context) as workspace:
        found = list_datasets(workspace, archived=archived)
        away = count_archived(workspace)
    headings = ["dataset", ">pictures", ">things", "licences", "versions"] + ["state"] * archived
    rows: list[tuple[Any, ...]] = [
        (
            one.name, one.n, one.concepts, counts(one.licences), ", ".join(one.versions[-3:]),
            *(("put away" if one.archived_at else "",) if archived else ()),
        )
        for one in found
    ]  # fmt: skip
    empty = "No datasets yet. `sfumato data collect sample --into sample` makes one of what ships with Sfumato."
    if away:
        empty = f"All that there are ({away:,}) are put away. `sfumato data list --archived` shows them."
    answer(context, found, lambda: table(headings, rows, empty=empty))


@app.command()
def show(context: typer.Context, name: Name) -> None:
    """Show what a dataset holds, what was left out, its versions, and what it is good for.

    Example: `sfumato data show emoji-styles`
    """
    from sfumato.data.collect import show_dataset
    from sfumato.data.freeze import list_versions

    with opened(context) as workspace:
        one = show_dataset(workspace, name=name)
        versions = list_versions(workspace, name=name)
    known = [
        ("dataset", one.name), ("was called", ", ".join(one.former)),
        ("put away", f"{one.archived_at:%Y-%m-%d}" if one.archived_at else ""), ("pictures", one.n),
        ("things", one.concepts), ("styles", counts(one.styles)),
        ("licences", counts(one.licences)), ("left out", counts(one.left_out) or "nothing"),
        ("by decision", f"{one.left_out_by_decision:,} left out" if one.left_out_by_decision else ""),
        *((f"version {each.name}", f"{each.n:,} pictures ({splits(each)})") for each in versions),
        ("good for", one.advice),
    ]  # fmt: skip
    answer(context, {"dataset": one, "versions": versions}, lambda: pairs(known))


data_checks.add_to(app)
app.add_typer(data_shelf.app)
app.add_typer(data_decide.app)
app.add_typer(data_edit.app)
app.add_typer(data_documents.app)
app.add_typer(data_balance.app)
app.add_typer(data_looks.app)
app.add_typer(data_label.app, name="label")
