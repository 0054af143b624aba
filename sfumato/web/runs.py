"""A run as its page tells it: what it does, its charts, where it comes from, and the command that asks for the same."""

import shlex
from typing import Any

from sfumato.training.ahead import Ahead
from sfumato.training.compare import mean_of
from sfumato.training.provenance import fit_in_words
from sfumato.training.records import OWN
from sfumato.training.verdicts import LOSSES
from sfumato.training.watching import Curves, RunCard
from sfumato.web.charts import Chart, Series, bar_chart, line_chart
from sfumato.web.schemas import names, schema
from sfumato.web.words import duration, number, plural

RECIPES = "sfumato.training.recipes"
TOLD = 6  # options that a sentence tells of
FIGURES = 6  # of one's own that are drawn
SAYS = {
    "flow": "Draws from noise, guided by words",
    "edm": "Draws from noise, guided by words",
    "r3gan": "Draws in one call",
    "lora": "Adapts a model by a few more weights",
    "diffusers_lora": "Adapts somebody else's model by a few more weights",
    "full": "Teaches somebody else's model further",
    "own": "A loop of somebody's own",
    "enlarge": "Makes drawings four times as large",
}


def doing(one: RunCard) -> str:
    """What the job of a run does at this moment, "" where it has ended."""
    if one.job is None or one.run.status not in ("running", "waiting"):
        return ""
    said = str(one.job.progress.get("say") or "") if one.run.status == "running" else ""
    return f"{said[:1].upper()}{said[1:]}" or ("Waits for a worker" if one.run.status == "waiting" else "Begins")


def command_of(one: RunCard) -> str:
    """The command that asks for the same run: with the options that are not the recipe's own, then how it went on."""
    properties = schema(RECIPES, one.run.recipe).get("properties", {}) if one.run.recipe in names(RECIPES) else {}
    words = ["sfumato", "train", one.run.recipe, "--data", one.data, "--name", one.run.name]
    words += ["--from", one.parent.name] if one.parent else []
    went_on = one.run.details.get("went_on", [])
    planned = {"samples": went_on[0]["planned"]} if went_on else {}
    for key, value in (one.run.options | planned).items():
        if value == properties.get(key, {}).get("default") or key not in properties:
            continue
        option = key.replace("_", "-")
        if isinstance(value, bool):
            words.append(f"--{option}" if value else f"--no-{option}")
        else:
            words += [f"--{option}", str(value)]
    more = [f"sfumato train resume {one.run.name} --samples {step['samples']}" for step in went_on]
    return " && ".join([shlex.join(words), *more])


def last_of(points: list[tuple[float, float]]) -> float | None:
    """The newest value of a curve."""
    return points[-1][1] if points else None


def charts_of(curves: Curves, seen: str = "pictures seen", *, own: bool = False) -> list[Chart]:
    """Loss of what it learns from beside that of what is held out, the latter by level of noise, and speed, as charts.

    Both lie in one chart only where held-out values are told by level of noise: others need not be losses.
    """
    levels = sorted(curves.held_out, key=_place)
    held_out = [Series(f"{_noise(level)}", curves.held_out[level]) for level in levels]
    by_noise = all(level.startswith(LOSSES) for level in levels)
    both = [Series("training", curves.loss)]
    if levels and by_noise:
        both.append(Series("held out, mean of all noise", mean_of(curves)))
    found = [
        line_chart("Loss" if len(both) > 1 else "Training loss", both, seen, "lower is better", falls=True),
        line_chart(
            "Held-out loss by noise" if by_noise else "Held-out loss" if own else "Measured on held-out pictures",
            held_out, seen, "lower is better" if by_noise or own else "",
        ),
        line_chart("Speed", [Series("speed", curves.speed)], seen, "pictures a second"),
        *(
            line_chart(key.replace("_", " ").capitalize(), [Series(key, curves.figures[key])], seen, "")
            for key in sorted(curves.figures)[:FIGURES]
        ),
    ]
    return [one for one in found if one.lines]


def _place(level: str) -> tuple[float, str]:
    try:
        return float(level.rpartition("=")[2]), level
    except ValueError:
        return 0.0, level


def _noise(level: str) -> str:
    """A level of noise in words: t = 1 is a clean picture; other levels say their own measure."""
    kind, _, value = level.partition("=")
    try:
        return f"{round(100 * (1 - float(value)))} % noise" if kind == "t" else level.replace("noise=", "noise ")
    except ValueError:
        return level


def chart_of_buckets(ahead: Ahead) -> Chart:
    """How many of the pictures that are learnt from become each shape, the fullest first."""
    bars = [(f"{one.width} × {one.height}", float(one.pictures), None, None) for one in ahead.buckets]
    return bar_chart("Buckets: width × height in pixels", bars, "pictures", unit="pictures")


def origin_in_words(known: dict[str, Any]) -> list[tuple[str, str]]:
    """Where a run comes from and what it took, as pairs of a word and what it says."""
    code, host, took = (known.get(key, {}) for key in ("code", "environment", "took"))
    rows: list[tuple[str, str]] = []
    if code:
        changes = f"with changes, kept as {code['diff'][:12]}" if code.get("diff") else "nothing changed since"
        rows += [("Code", f"{code['repository']} at {code['commit'][:12]}"), ("Changes", changes)]
    if host:
        said = [f"Sfumato {host['sfumato']}", f"Python {host['python']}"]
        rows.append(("Versions", ", ".join(said + [f"{key} {value}" for key, value in host["packages"].items()])))
        rows.append(("System", f"{host['system']}, {plural(host['cores'], 'core')}"))
        rows.append(("Processor can", " ".join(host["flags"])))
    if known.get("fitted"):
        rows.append(("Pictures", fit_in_words(known["fitted"])))
    if took:
        rows.append(("Took", f"{duration(took['wall_seconds'])}, {duration(took['cpu_seconds'])} of processor"))
        rows.append(("Energy", f"{took['energy_wh']:.3g} Wh, {took['energy_from']}"))
    return rows


def value_in_words(value: Any) -> str:
    """The value of an option as people read it."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return number(value)
    return "–" if value is None or value == "" else str(value)


def _parent(one: RunCard) -> str:
    """The weights that a run began with, in words."""
    if one.parent is None:
        return f"weights that are not here any more ({(one.run.parent_sha256 or '')[:12]})"
    said = ", which was taken in from elsewhere," if one.parent.adopted else ""
    return f"the model {one.parent.name}{said}"


def recipe_in_words(one: RunCard) -> str:
    """What a run does, as a sentence."""
    options = one.run.options
    if one.run.recipe == OWN:
        return f"A loop of {one.made_by_name}'s own, which learns from {one.data}."
    size = f" at {options['size']} × {options['size']} pixels" if options.get("size") else ""
    start = f", going on from {_parent(one)}" if one.run.parent_sha256 else ", from fresh weights"
    lead = SAYS.get(one.run.recipe, f"Follows the recipe {one.run.recipe}")
    sees = f"and sees {plural(one.samples, 'picture')}, counted with repeats."
    return f"{lead}{size}: it learns from {one.data}{start}, {sees}"
