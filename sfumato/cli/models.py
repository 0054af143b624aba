"""`sfumato models`: what there is to draw with, what it learnt from, and its training card."""

from pathlib import Path
from typing import Annotated, Any

import typer

from sfumato.checkpoints.averages import average_in_words
from sfumato.cli.following import follow
from sfumato.cli.speech import answer, counts, opened, pairs, table
from sfumato.cli.style import sheet

app = typer.Typer(
    add_completion=False, no_args_is_help=True, help="See models, what they learnt from, and their cards."
)
Name = Annotated[str, typer.Argument(metavar="MODEL", help="The model's name.")]


@app.command("list")
def list_(context: typer.Context) -> None:
    """List the models, the one that ships with Sfumato first.

    Example: `sfumato models list`
    """
    from sfumato.checkpoints.models import list_models

    with opened(context) as workspace:
        found = list_models(workspace)
    rows = [
        (one.name, average_in_words(one.ema), one.samples_seen, one.dataset, one.pictures, counts(one.licences),
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


def undisclosed(one: Any) -> list[tuple[str, Any]]:
    """Return what is known of a folder of diffusers that was taken in, or of what goes on from one."""
    own = [("learnt from", f"{one.dataset}: {one.pictures:,} pictures"), ("licences", counts(one.licences))]
    return [
        ("model", one.name), ("where", made_by(one)),
        ("draws", f"{one.size} × {one.size} pixels, in diffusers"),
        *([("goes on from", one.parent)] if one.parent else []), *(own if one.dataset else []),
        ("network", f"{one.parameters / 1e6:,.1f} million weights, {weight(one.bytes)}"), ("SHA-256", one.sha256),
    ]  # fmt: skip


def described(one: Any) -> list[tuple[str, Any]]:
    """Return what is known of a model as pairs of a word and what it says."""
    if one.architecture == "diffusers":
        return undisclosed(one)
    no_card = f"none yet; `sfumato models card {one.name}` makes it, and drawing and tracing need it"
    rests_on = f"told from {one.calibrated_on:,} held-out pictures" if one.calibrated_on else "a rule of thumb"
    known = f"knows {one.names or 0:,} names; nearer than {one.copy_distance} is a copy ({rests_on})"
    return [
        ("model", one.name),
        ("where", "ships with Sfumato" if one.embedded else made_by(one)),
        ("draws", f"{one.size} × {one.size} pixels with alpha" if one.size else "not here: its network is not known"),
        ("network", f"{one.architecture}, {one.parameters / 1e6:.1f} million weights, {weight(one.bytes)}"),
        ("weights are", average_in_words(one.ema)),
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


def made_by(one: Any) -> str:
    """Say where a model of this workspace comes from."""
    return f"made here by the run {one.run}" if one.run else "added; its maker has not disclosed the training data"


def weight(size: int) -> str:
    """Say a number of bytes: "11.2 MB"."""
    return f"{size / 1e6:,.1f} MB" if size >= 100_000 else f"{size / 1e3:,.1f} kB"


@app.command()
def adopt(
    context: typer.Context,
    path: Annotated[
        Path, typer.Argument(metavar="PATH", help="Weights, a folder of diffusers, .keras or a SavedModel; it stays.")
    ],
    *,
    name: Annotated[str, typer.Option(metavar="MODEL", help="What to call the model.")],
    data: Annotated[str, typer.Option(metavar="NAME@VERSION", help="What it learnt from, if that is here.")] = "",
    licence: Annotated[str, typer.Option(metavar="SPDX", help="The licence of the weights.")] = "",
    maker: Annotated[str, typer.Option(metavar="WHO", help="Who made them.")] = "",
    architecture: Annotated[str, typer.Option(help="Its network, where that is one of Sfumato's.")] = "",
    options: Annotated[
        list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="An option of that network.")
    ] = None,
    like: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="For one file: a folder of diffusers with its settings.")
    ] = None,
) -> None:
    """Take finished weights in as a model with its own record, and say what it can and cannot do here.

    A folder of diffusers (Stable Diffusion, SDXL or PixArt) draws in diffusers, a .keras file or SavedModel that takes
    noise alone in TensorFlow, each in an environment of its own; both need their maker's licence.

    Example: `sfumato models adopt generator.safetensors --name ours --licence MIT --maker "Ann"`
    """
    from sfumato.cli.settings_given import given
    from sfumato.training.adopting import adopt as take_in

    with opened(context) as workspace:
        found = take_in(
            workspace, path=path, name=name, data=data, licence=licence, maker=maker, architecture=architecture,
            options=given(options or []), like=like or "",
        )  # fmt: skip
    said = [("took in", found.name), ("SHA-256", found.sha256), *(("it can", one) for one in found.can),
            *(("it cannot", one) for one in found.cannot)]  # fmt: skip
    answer(context, found, lambda: pairs(said))


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


@app.command()
def export(
    context: typer.Context,
    model: Annotated[str, typer.Argument(metavar="MODEL", help="The name of a model, or of the run that made it.")],
    target: Annotated[Path, typer.Argument(metavar="FILE|FOLDER", help="A new file, or a folder for it.")],
    *,
    to: Annotated[
        str,
        typer.Option(metavar="FORM", help="safetensors, onnx, diffusers; litert for GANs; peft or kohya for adapters."),
    ],
) -> None:
    """Write a model for other programs. ONNX and LiteRT are compared with torch before they are kept.

    Example: `sfumato models export first ./first.onnx --to onnx`
    """
    from sfumato.generation.portable import export_model

    with opened(context) as workspace:
        asked = export_model(workspace, name=model, form=to, target=target)
        made = follow(context, workspace, asked).result or {}
    apart = f", at most {made['difference']:.1g} from what torch draws" if "difference" in made else ""
    calls = f"\n\nIn diffusers the same pictures are drawn by:\n\n{made['call']}" if "call" in made else ""
    answer(context, made, lambda: f"Wrote {made['path']}, {weight(made['bytes'])}{apart}.{calls}")


@app.command("add-adapter")
def add_adapter(
    context: typer.Context,
    path: Annotated[Path, typer.Argument(metavar="FILE|FOLDER", help="An adapter: a file, or PEFT's folder.")],
    *,
    name: Annotated[str, typer.Option(help="What to call the model.")],
    licence: Annotated[str, typer.Option(metavar="SPDX", help="What its maker allows: an SPDX name, or in words.")],
    base: Annotated[
        str | None, typer.Option(metavar="MODEL", help="Whose adapter it is.", show_default="the one that ships")
    ] = None,
) -> None:
    """Add an adapter that was made elsewhere as a model, under the licence that its maker gives it.

    Example: `sfumato models add-adapter ./ink.safetensors --name ink --licence CC-BY-4.0`
    """
    from sfumato.checkpoints.adding import add_model
    from sfumato.checkpoints.models import DEFAULT

    with opened(context) as workspace:
        found = add_model(workspace, path=path, name=name, licence=licence, base=base or DEFAULT)
    answer(context, found, lambda: pairs(described(found)))


app.command("sheet")(sheet)


@app.command()
def criterion(
    context: typer.Context,
    model: Name,
    *,
    measure: Annotated[str, typer.Option(help="What is measured, such as recall@5 or near copies.")] = "approval share",
    group: Annotated[str, typer.Option(help="Which drawings, such as held-out pairs.")] = "",
    at_least: Annotated[float | None, typer.Option(min=0, max=1, help="The share that must be reached.")] = None,
    at_most: Annotated[float | None, typer.Option(min=0, max=1, help="The share that must not be passed.")] = None,
    bound: Annotated[
        str | None, typer.Option(help="low, high or value.", show_default="the end that speaks against it")
    ] = None,
    n_min: Annotated[int, typer.Option(min=1, help="How many must be judged or drawn at least.")] = 30,
    version: Annotated[int | None, typer.Option(help="The version that is replaced, as it was shown.")] = None,
    drop: Annotated[bool, typer.Option("--drop", help="Take the criterion of that version away.")] = False,
) -> None:
    """Show what a model must hold before it may go live, or set it.

    Example: `sfumato models criterion first --at-least 0.6 --n-min 40`
    """
    from sfumato.product.criteria import drop_criterion, set_criterion, show_criterion

    with opened(context) as workspace:
        if drop:
            drop_criterion(workspace, model=model, version=version or 0)
        elif at_least is not None or at_most is not None:
            set_criterion(
                workspace, model=model, measure=measure, group=group, at_least=at_least, at_most=at_most, bound=bound,
                n_min=n_min, version=version,
            )  # fmt: skip
        found = show_criterion(workspace, model=model)
    none = f"No criterion is set for {model}: sfumato models criterion {model} --at-least 0.6"
    answer(context, found, lambda: f"{found.model}: {found.words} (version {found.version})" if found else none)


@app.command()
def check(context: typer.Context, model: Name) -> None:
    """Say whether a model holds its criterion, fails it, or there is not enough data, and how much is missing.

    Example: `sfumato models check first`
    """
    from sfumato.product.criteria import check as check_model

    with opened(context) as workspace:
        found = check_model(workspace, model=model)
    answer(context, found, lambda: found.words)


@app.command("go-live")
def go_live(context: typer.Context, model: Name) -> None:
    """Let a model go live, if its criterion holds; `sfumato create --model live` then draws with it.

    Example: `sfumato models go-live first`
    """
    from sfumato.product.launch import go_live as let_go_live

    with opened(context) as workspace:
        found = let_go_live(workspace, model=model)
    answer(context, found, lambda: lives(found))


@app.command("roll-back")
def roll_back(
    context: typer.Context, because: Annotated[str, typer.Option(help="Why, for whoever let it go live.")] = ""
) -> None:
    """Bring back what was live before.

    Example: `sfumato models roll-back --because "it draws no ears"`
    """
    from sfumato.product.launch import roll_back as bring_back

    with opened(context) as workspace:
        found = bring_back(workspace, reason=because)
    answer(context, found, lambda: lives(found))


@app.command()
def live(context: typer.Context) -> None:
    """Show what is live, since when, by whom and on what grounds.

    Example: `sfumato models live`
    """
    from sfumato.product.launch import show_live

    with opened(context) as workspace:
        found = show_live(workspace)
    answer(context, found, lambda: lives(found))


def lives(one: Any) -> Any:
    """Lay out what is live."""
    return pairs([
        ("live", one.model), ("since", one.since.strftime("%Y-%m-%d %H:%M")), ("decided by", one.by_name),
        ("because", one.grounds), ("before it", one.before), ("SHA-256", one.sha256),
        ("weights", "" if one.here else "not in this workspace any more"),
    ])  # fmt: skip
