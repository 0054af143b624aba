"""`sfumato evaluate`: how well a model draws what it has seen, and what it has not."""

from typing import Annotated, Any, Literal

import typer

from sfumato.cli.following import follow
from sfumato.cli.speech import answer, opened, table

app = typer.Typer(add_completion=False)


@app.command()
def evaluate(
    context: typer.Context,
    model: Annotated[str | None, typer.Argument(metavar="MODEL", help="Its name; else the one that ships.")] = None,
    per_group: Annotated[int, typer.Option(min=1, max=5000, help="Drawings in each of three groups.")] = 200,
    seed: Annotated[int, typer.Option(min=0, help="Decides which prompts are drawn, and from which noise.")] = 0,
    engine: Annotated[Literal["auto", "onnx_local", "torch_local"], typer.Option(help="What draws.")] = "auto",
    no_wait: Annotated[bool, typer.Option("--no-wait", help="Ask for it and leave; `sfumato worker` does it.")] = False,
) -> None:
    """Measure a model: how often its drawings are recognised, and how many are near copies, with intervals.

    Three groups are drawn: pairs of thing and style that it has seen, pairs that were held out, and things that
    were held out. Beside each stand real pictures of the same prompts, and chance. Evaluating the same again
    gives the same numbers.

    Example: `sfumato evaluate emoji-styles-small --per-group 50`
    """
    from sfumato.checkpoints.models import DEFAULT
    from sfumato.evaluation.evaluate import evaluate as ask

    options = {"per_group": per_group, "seed": seed, "engine": engine}
    with opened(context) as workspace:
        job = ask(workspace, model=model or DEFAULT, options=options)
        if no_wait:
            said = f"Asked for. `sfumato worker` does it, `sfumato jobs show {job.id[-6:]}` shows it."
            answer(context, job, lambda: said)
            return
        result = follow(context, workspace, job).result or {}
    answer(context, result, lambda: told(result))


def told(result: dict[str, Any]) -> Any:
    """Lay out an evaluation: the figures as a table, then in sentences, then where the contact sheets are."""
    from rich.console import Group

    from sfumato.evaluation.words import interval, percent

    rows = []
    for group in result["groups"].values():
        first, five, copies = (group["figures"][name] for name in ("recall@1", "recall@5", "near copies"))
        real = f"{percent(first['ceiling']['value'])} / {percent(five['ceiling']['value'])}"
        chance = f"{percent(first['floor']['value'])} / {percent(five['floor']['value'])}"
        figures = [interval(one["measured"]) for one in (first, five)]
        rows.append((group["name"], group["n"], *figures, real, chance, interval(copies["measured"])))
    headings = ["", ">drawings", ">named first", ">among five", ">real pictures", ">chance", ">near copies"]
    sheets = [f"Drawn beside real: {group['sheet']}" for group in result["groups"].values()]
    return Group(table(headings, rows, empty="Nothing could be measured."), "", *result["says"], "", *sheets)
