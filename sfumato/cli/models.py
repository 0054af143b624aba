"""`sfumato models`: what there is to draw with, what it learnt from, and its training card."""

from typing import Annotated, Any

import typer

from sfumato.cli.following import follow
from sfumato.cli.speech import answer, counts, opened, pairs, table

app = typer.Typer(
    add_completion=False, no_args_is_help=True, help="See models, what they learnt from, and their cards."
)
Name = Annotated[str, typer.Argument(metavar="MODEL", help="The model's name.")]
AVERAGES = {"short": "the shorter average", "long": "the longer average"}


@app.command("list")
def list_(context: typer.Context) -> None:
    """List the models, the one that ships with Sfumato first.

    Example: `sfumato models list`
    """
    from sfumato.checkpoints.models import list_models

    with opened(context) as workspace:
        found = list_models(workspace)
    rows = [
        (one.name, AVERAGES.get(one.ema, one.ema), one.samples_seen, one.dataset, one.pictures, counts(one.licences),
         weight(one.bytes), "yes" if one.card else "no")
        for one in found
    ]  # fmt: skip
    headings = ["model", "weights are", ">samples seen", "learnt from", ">pictures", "licences", ">size", "card"]
    empty = "No models yet. `sfumato train flow --data NAME --name RUN` makes one."
    answer(context, found, lambda: table(headings, rows, empty=empty))


@app.command()
def show(context: typer.Context, model: Name) -> None:
    """Show a model: what it learnt from and under which licences, how far, and which weights it is.

    Example: `sfumato models show emoji-styles-small`
    """
    from sfumato.checkpoints.models import show_model

    with opened(context) as workspace:
        found = show_model(workspace, name=model)
    answer(context, found, lambda: pairs(described(found)))


def described(one: Any) -> list[tuple[str, Any]]:
    """Return what is known of a model as pairs of a word and what it says."""
    no_card = f"none yet; `sfumato models card {one.name}` makes it, and drawing and tracing need it"
    rests_on = f"told from {one.calibrated_on:,} held-out pictures" if one.calibrated_on else "a rule of thumb"
    known = f"knows {one.names or 0:,} names; nearer than {one.copy_distance} is a copy ({rests_on})"
    return [
        ("model", one.name),
        ("where", "ships with Sfumato" if one.embedded else f"made here by the run {one.run}"),
        ("draws", f"{one.size} × {one.size} pixels with alpha"),
        ("network", f"{one.architecture}, {one.parameters / 1e6:.1f} million weights, {weight(one.bytes)}"),
        ("weights are", AVERAGES.get(one.ema, one.ema)),
        ("recipe", one.recipe),
        ("samples seen", one.samples_seen),
        ("learnt from", f"{one.dataset}: {one.pictures:,} pictures of {one.concepts:,} things"),
        ("held out", f"{one.held_out:,} pictures that it has never seen"),
        ("styles", counts(one.styles)),
        ("licences", counts(one.licences)),
        ("begun with", one.parent),
        ("training card", known if one.card else no_card),
        ("SHA-256", one.sha256),
    ]


def weight(size: int) -> str:
    """Say a number of bytes: "11.2 MB"."""
    return f"{size / 1e6:,.1f} MB" if size >= 100_000 else f"{size / 1e3:,.1f} kB"


@app.command()
def card(context: typer.Context, model: Name) -> None:
    """Make the training card of a model of this workspace, so that its pictures can be traced anywhere.

    It holds a small copy of each picture that the model learnt from, with caption, licence and author.
    Training makes it at its end; this makes it before that, or again.

    Example: `sfumato models card first`
    """
    from sfumato.training.cards import ask_for_card

    with opened(context) as workspace:
        job = follow(context, workspace, ask_for_card(workspace, name=model))
    made = job.result or {}
    answer(context, made, lambda: f"Wrote {made['path']}: {made['n']:,} pictures, {weight(made['bytes'])}.")
