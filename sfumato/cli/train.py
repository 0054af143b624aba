"""`sfumato train`: runs of a recipe on a frozen version, gone on with exactly where they stopped."""

from pathlib import Path
from typing import Annotated, Any

import typer

from sfumato.cli.dry_run import ahead_of, flat, shown
from sfumato.cli.following import follow, follow_child
from sfumato.cli.plugins import group
from sfumato.cli.speech import answer, opened, pairs, table
from sfumato.cli.style import style
from sfumato.errors import InvalidInput

Run = Annotated[str, typer.Argument(metavar="RUN", help="The run's name.")]
Leave = Annotated[bool, typer.Option("--no-wait", help="Ask for it and leave; `sfumato worker` does it.")]
MEASURED = "images_per_second"  # of a machine; nought where a recipe tries nothing out


def train(
    *,
    context: typer.Context,
    plugin: str,
    options: dict[str, Any],
    data: Annotated[str, typer.Option(metavar="NAME@VERSION", help="What to learn from; NAME is its newest.")],
    name: Annotated[str, typer.Option(metavar="RUN", help="What to call the run, and the model that comes of it.")],
    parent: Annotated[
        str | None,
        typer.Option("--from", metavar="MODEL", help="Begin with this model's weights; else with fresh ones."),
    ] = None,
    budget: Annotated[
        str, typer.Option(metavar="TIME", help="Choose what is not given for so much time: 90s, 30m, 1h30m.")
    ] = "",
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Check everything, show what the network would see, and train nothing.")
    ] = False,
    sheet: Annotated[
        Path | None, typer.Option(metavar="FILE", help="With --dry-run: the first pictures as they are fed, as PNG.")
    ] = None,
    keep: Annotated[
        int, typer.Option(metavar="N", help="Keep the last N checkpoints and the best; without it all of them.")
    ] = 0,
    no_wait: Leave = False,
) -> None:
    """The command may be left with Ctrl-C; training goes on, and a later one goes on exactly where it stopped.

    Under torchrun all processes share every batch, and Ctrl-C stops them.

    Example: `sfumato train PLUGIN --data emoji-styles@latest --name first`
    """
    from sfumato.checkpoints.models import find_model
    from sfumato.training import runs

    with opened(context) as workspace:
        lane = lane_here(workspace, wait=not no_wait, trains=not dry_run)
        kept: dict[str, Any] = {}
        if budget:
            recipe = runs.for_parent(plugin, find_model(workspace, parent)) if parent else plugin
            options, kept = dialled(context, workspace, recipe, data, options, (budget, parent or ""))
        if dry_run:
            plan = planned(workspace, plugin, data, options, parent) | ({"chosen": kept} if kept else {})
            seen = ahead_of(workspace, plugin, data, options, parent, sheet=sheet)
            answer(context, plan | {"sees": seen}, lambda: shown(plan, seen))
            return
        if sheet is not None:
            raise InvalidInput("A sheet is made of a run that is not started.", hint="Give --dry-run too.")
        job = runs.train(
            workspace, recipe_name=plugin, data=data, name=name, options=options, parent=parent, where=Path.cwd(),
            chosen=kept, keep=keep, lane=lane,
        )  # fmt: skip
        finish(context, workspace, job, name, wait=not no_wait, lane=lane)


app = typer.Typer(
    add_completion=False,
    cls=group("sfumato.training.recipes", "recipe", train),
    no_args_is_help=True,
    help="Train models: one command for each recipe, and those that look after runs.",
)


app.command("style")(style)


def lane_here(workspace: Any, *, wait: bool, trains: bool = True) -> str:
    """Return the lane of a run that this command asks for: its own where several processes were started for it.

    All of those but the first become its partners and never return.
    """
    from sfumato.training.processes import TOGETHER, become_partner, place

    here = place()
    if here.size == 1:
        return "long"
    if not trains:
        if here.rank:
            raise typer.Exit
        return "long"
    if not wait:
        raise InvalidInput("Several processes train while the command waits.", hint="Leave out --no-wait.")
    if here.rank:
        become_partner(workspace)
    return TOGETHER


def planned(workspace: Any, recipe_name: str, data: str, options: dict[str, Any], parent: str | None) -> dict[str, Any]:
    """Return what a run would be, every option resolved; raises what starting it would raise."""
    from sfumato.training.runs import plan

    found = plan(workspace, recipe_name=recipe_name, data=data, options=options, parent=parent)
    begins = {"from": found.parent.name} if found.parent else {}
    return {
        "recipe": found.recipe, "data": found.version.label, "pictures": found.version.n, **begins,
        "options": found.options,
    }  # fmt: skip


def dialled(
    context: typer.Context, workspace: Any, plugin: str, data: str, options: dict[str, Any], asked_for: tuple[str, str]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the options that a budget, and a model to begin with, come to, and why; shown before anything starts."""
    from sfumato.cli.speech import asked, console
    from sfumato.training.budget import choose

    budget, parent = asked_for
    found = choose(workspace, recipe_name=plugin, data=data, budget=budget, options=options, parent=parent)
    if not asked(context).json:
        rows = [(one.option, one.value, one.why) for one in found.choices]
        console().print(table(["option", ">value", "why"], rows, empty=""))
        console().print(found.says, markup=False)
    why = {one.option: one.why for one in found.choices}
    return found.options, {"budget": budget, "why": why, "images_per_second": found.images_per_second}


def finish(context: typer.Context, workspace: Any, job: Any, name: str, *, wait: bool, lane: str) -> None:
    """Wait for a run to end, or say how to see it, and say what to do with the model."""
    if not wait:
        short = job.id[-6:]
        answer(context, job, lambda: f"Asked for. `sfumato worker` does it, `sfumato jobs show {short}` shows it.")
        return
    doing = follow if lane == "long" else follow_child
    result = doing(context, workspace, job).result or {}
    said = f"Trained {name} on {result.get('samples_seen', 0):,} pictures."
    answer(context, result, lambda: f'{said} Try: sfumato create "a red apple" --model {name}')


@app.command()
def resume(
    context: typer.Context,
    run: Run,
    *,
    samples: Annotated[
        int, typer.Option(min=0, metavar="N", help="Go on until so many pictures in all; else as it was planned.")
    ] = 0,
    budget: Annotated[str, typer.Option(metavar="TIME", help="Go on for so much more time: 90s, 30m, 1h30m.")] = "",
    no_wait: Leave = False,
) -> None:
    """Go on with a run exactly where its last state left it, to its end or further than it was planned.

    Another length changes the schedule of the steps to come; what that means is said, and kept with the run.

    Example: `sfumato train resume first --samples 40000`
    """
    from sfumato.cli.speech import asked, console
    from sfumato.training.going_on import resume as go_on_with
    from sfumato.training.runs import show_run

    with opened(context) as workspace:
        lane = lane_here(workspace, wait=not no_wait)
        job = go_on_with(workspace, name=run, samples=samples, budget=budget, lane=lane)
        if (samples or budget) and not asked(context).json:
            for one in show_run(workspace, name=run).details.get("went_on", [])[-1:]:
                console(stderr=True).print(one["says"], markup=False)
        finish(context, workspace, job, run, wait=not no_wait, lane=lane)


@app.command("list")
def list_(context: typer.Context) -> None:
    """List the runs, the newest first.

    Example: `sfumato train list`
    """
    from sfumato.training.runs import list_runs

    with opened(context) as workspace:
        found = list_runs(workspace)
    rows = [(one.name, one.recipe, one.status, one.samples_seen, one.options.get("samples", 0)) for one in found]
    headings = ["run", "recipe", "status", ">samples seen", ">of"]
    empty = "No runs yet. `sfumato train flow --data NAME --name RUN` starts one."
    answer(context, found, lambda: table(headings, rows, empty=empty))


@app.command()
def show(context: typer.Context, run: Run) -> None:
    """Show a run: its recipe, options, what was fastest on its machine, and how far it came.

    Example: `sfumato train show first`
    """
    from sfumato.training.runs import show_run

    with opened(context) as workspace:
        found = show_run(workspace, name=run)
    answer(context, found, lambda: pairs(described(found)))


def described(run: Any) -> list[tuple[str, Any]]:
    """Return what is known of a run as pairs of a word and what it says: what it is, then where it comes from."""
    from sfumato.training.provenance import fit_in_words

    known = run.model_dump(mode="json", exclude={"details", "machine"})
    from_where = run.details.get("provenance", {})
    code, host, took = (from_where.get(key, {}) for key in ("code", "environment", "took"))
    rows = [*flat(known), *((key, str(value)) for key, value in run.machine.items() if value or key != MEASURED)]
    if code:
        diff = f"; what differs is kept as {code['diff']}" if code.get("diff") else ""
        rows.append(("code", f"{code['repository']} at {code['commit']}{diff}"))
    if host:
        versions = ", ".join(f"{name} {version}" for name, version in host["packages"].items())
        rows += [("versions", f"sfumato {host['sfumato']}, Python {host['python']}, {versions}"),
                 ("flags", " ".join(host["flags"]))]  # fmt: skip
    if from_where.get("fitted"):
        rows.append(("fitted", fit_in_words(from_where["fitted"])))
    if took:
        rows += [("took", f"{took['wall_seconds']:,.1f} s, {took['cpu_seconds']:,.1f} s of processor"),
                 ("energy", f"{took['energy_wh']:.3g} Wh, {took['energy_from']}")]  # fmt: skip
    return rows + [("went on", one["says"]) for one in run.details.get("went_on", [])]


@app.command()
def fork(
    context: typer.Context,
    run: Run,
    *,
    name: Annotated[str, typer.Option(metavar="RUN", help="What to call the new run, and its model.")],
    changes: Annotated[
        list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="An option that is to be different.")
    ] = None,
    data: Annotated[str, typer.Option(metavar="NAME@VERSION", help="Other data to learn from.")] = "",
    parent: Annotated[
        str | None,
        typer.Option("--from", metavar="MODEL", help="Begin with this model's weights; else with fresh ones."),
    ] = None,
    no_wait: Leave = False,
) -> None:
    """Start a run with the options of another one, but for those that are set.

    Example: `sfumato train fork first --name wider --set width=256`
    """
    from sfumato.cli.settings_given import given
    from sfumato.training import runs

    with opened(context) as workspace:
        lane = lane_here(workspace, wait=not no_wait)
        job = runs.fork(
            workspace, name=run, into=name, changes=given(changes or []), data=data, parent=parent, where=Path.cwd(),
            lane=lane,
        )  # fmt: skip
        finish(context, workspace, job, name, wait=not no_wait, lane=lane)


@app.command()
def compare(
    context: typer.Context, names: Annotated[list[str], typer.Argument(metavar="RUN...", help="Two to eight runs.")]
) -> None:
    """Compare runs: how far, how fast and how good each is, and which of their options differ.

    Example: `sfumato train compare first wider`
    """
    from rich.console import Group
    from rich.text import Text

    from sfumato.training.compare import compare as side_by_side

    with opened(context) as workspace:
        found = side_by_side(workspace, names=",".join(names))
    rows = [
        ("status", *(one.status for one in found.runs)),
        ("seen", *(f"{one.samples_seen:,}" for one in found.runs)),
        ("pictures a second", *(f"{one.images_per_second:,.1f}" for one in found.runs)),
        ("training loss", *(_loss(one.loss) for one in found.runs)),
        ("held-out loss", *(_loss(one.held_out) for one in found.runs)),
        *((key, *(str(value) for value in values)) for key, values in found.differing.items()),
    ]
    said = [*(f"{one.title}. {one.says}" for one in found.verdicts), *found.why_not]
    draw = sorted((one.name for one in found.runs if one.draws), key=lambda name: name != found.best)
    said += [f'Draw with it: sfumato create "a red apple" --model {name}' for name in draw[:1]]
    headings = ["", *(f">{one.name}" for one in found.runs)]
    answer(context, found, lambda: Group(table(headings, rows, empty=""), "", *map(Text, said)))


@app.command()
def worst(context: typer.Context, run: Run) -> None:
    """Show the concepts that a run drew worst at its end, and which of its pictures are nearest to those drawings.

    Example: `sfumato train worst first`
    """
    from sfumato.training.worst import list_worst

    with opened(context) as workspace:
        found = list_worst(workspace, name=run)
    rows = [
        (one.caption, f"{one.distance:.0%}", ", ".join(item.id[-6:] for item in one.beside)) for one in found.concepts
    ]
    empty = "Nothing yet: a run that sees a thousand pictures draws its concepts when it ends."
    answer(context, found, lambda: table(["concept", ">distance", "learnt from"], rows, empty=empty))


@app.command()
def average(
    context: typer.Context,
    run: Run,
    length: Annotated[float, typer.Option(metavar="SHARE", help="Of the run, over which weights count; 0.05 to 0.15.")],
    name: Annotated[str, typer.Option(metavar="MODEL", help="What it is called; RUN-SHARE if left out.")] = "",
    at: Annotated[int, typer.Option(metavar="PICTURES", help="After so many seen; after the last checkpoint.")] = 0,
) -> None:
    """Average a run's weights over another share of it, without training again, as a model of its own.

    It is put together from the averages that the run's checkpoints kept, and it is said how exactly.

    Example: `sfumato train average first --length 0.12`
    """
    from sfumato.training.averaging import ask_for_average

    with opened(context) as workspace:
        job = follow(context, workspace, ask_for_average(workspace, name=run, length=length, model=name, at=at))
    made = job.result or {}
    wrote = f"Made {made['model']} of {made['checkpoints']:,} averages that were kept, {made['off']:.1%} off."
    answer(context, made, lambda: f'{wrote}\nDraw with it: sfumato create "a red apple" --model {made["model"]}')


@app.command("export-logs")
def export_logs(
    context: typer.Context,
    run: Run,
    target: Annotated[Path, typer.Argument(metavar="DIR", help="A new or empty folder.")],
    to: Annotated[str, typer.Option(metavar="KIND", help="tensorboard (with previews) or csv.")] = "tensorboard",
) -> None:
    """Write a run's losses, speed and previews as files for TensorBoard, or as a table.

    Example: `sfumato train export-logs first logs/first`
    """
    from typing import get_args

    from sfumato.training import logbook

    if to not in get_args(logbook.To):
        raise InvalidInput(f"'{to}' is no kind of log.", hint=f"Say --to {' or --to '.join(get_args(logbook.To))}.")
    with opened(context) as workspace:
        found = logbook.export_logs(workspace, name=run, target=target, to=to)  # type: ignore[arg-type]
    wrote = f"Wrote {found.points:,} points of {found.curves} curves and {found.previews} previews into {found.path}."
    answer(context, found, lambda: wrote)


def _loss(value: float | None) -> str:
    return "–" if value is None else f"{value:.4f}"
