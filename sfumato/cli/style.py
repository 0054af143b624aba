"""`sfumato train style` and `sfumato models sheet`: a style of one's own, and what it still lacks."""

from pathlib import Path
from typing import Annotated, Any

import typer

from sfumato.cli.following import follow
from sfumato.cli.speech import answer, asked, console, opened, pairs


def style(
    context: typer.Context,
    *,
    source: Annotated[str, typer.Option("--from", metavar="FOLDER|NAME@VERSION", help="20 to 200 icons.")],
    name: Annotated[str, typer.Option(metavar="STYLE", help="What to call style, dataset, run and model.")],
    licence: Annotated[str, typer.Option(metavar="SPDX", help="Of the icons in a folder.")] = "NOASSERTION",
    author: Annotated[str, typer.Option(help="Who made the icons in a folder.")] = "",
    base: Annotated[
        str | None, typer.Option(metavar="MODEL", help="What learns it.", show_default="the one that ships")
    ] = None,
    how: Annotated[str, typer.Option(help="full: all weights; lora: small matrices beside them.")] = "full",
    samples: Annotated[int | None, typer.Option(help="Pictures to learn from, repeats counted.")] = None,
    sheet: Annotated[int, typer.Option(min=0, max=200, help="How many missing things to draw afterwards.")] = 24,
    out: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Where to draw, else the workspace's pictures.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Look at the icons, and learn nothing.")] = False,
) -> None:
    """Learn the style of 20 to 200 icons, then draw what the set still lacks as one sheet, for review.

    Names come from captions beside the icons, else from the files' names.

    Example: `sfumato train style --from ./icons --name ours --licence MIT --author "Our team"`
    """
    from sfumato.checkpoints.models import DEFAULT
    from sfumato.training.processes import only_one
    from sfumato.training.style import as_facts, check_style, in_words, make_style

    only_one("A style")
    with opened(context) as workspace:
        if dry_run:
            checked = check_style(workspace, source=source, base=base or DEFAULT)
            answer(context, checked, lambda: in_words(checked))
            return
        made = make_style(
            workspace, source=source, name=name, licence=licence, author=author, base=base or DEFAULT,
            how=how, options={"samples": samples} if samples else {},  # type: ignore[arg-type]
            wait=lambda job: follow(context, workspace, job),
        )  # fmt: skip
        if not asked(context).json:
            console(stderr=True).print(in_words(made.checked), markup=False, soft_wrap=True, style="dim")
        drawn = _sheet(context, workspace, made.model, made.name, [], sheet, out, 1) if sheet else None
    told = as_facts(made) | ({"sheet": drawn} if drawn else {})
    answer(context, told, lambda: pairs(_told(made.name, drawn)))


def sheet(
    context: typer.Context,
    model: Annotated[str, typer.Argument(metavar="MODEL", help="The model that draws.")],
    names: Annotated[
        list[str] | None, typer.Argument(metavar="[NAME]…", help="Things to draw, else what it lacks.")
    ] = None,
    *,
    style: Annotated[str, typer.Option(help="The style.", show_default="the one called as the model")] = "",
    n: Annotated[int, typer.Option("-n", min=1, max=200, help="How many of what it lacks.")] = 24,
    seed: Annotated[int, typer.Option(min=0, help="The noise that all begin with.")] = 1,
    out: Annotated[Path | None, typer.Option(metavar="DIR", help="Where to, else the workspace's pictures.")] = None,
) -> None:
    """Draw what a style lacks, or the things that are named, alike, and lay them on one sheet for review.

    Example: `sfumato models sheet ours "red apple" rocket --out ./icons`
    """
    with opened(context) as workspace:
        drawn = _sheet(context, workspace, model, style, names or [], n, out, seed)
    answer(context, drawn, lambda: pairs(_told(model, drawn)))


def _sheet(context: typer.Context, workspace: Any, model: str, style: str, names: list[str], *more: Any) -> Any:
    from sfumato.generation.sheet import draw_sheet

    n, out, seed = more
    return draw_sheet(
        workspace, model=model, style=style, names=names, n=n, out=out, seed=seed,
        wait=lambda job: follow(context, workspace, job, nearby=True),
    )  # fmt: skip


def _told(model: str, drawn: Any) -> list[tuple[str, Any]]:
    """Say what there is now, and what to do with it."""
    again = f'sfumato create "a red apple" --model {model}'
    if drawn is None:
        return [("model", model), ("draw with it", again), ("what it is", f"sfumato models show {model}")]
    return [
        ("model", model), ("sheet", str(drawn.path)), ("pictures", len(drawn.pictures)),
        ("judge them", "in the studio's queue of what waits for review"), ("draw more", again),
        ("may I use it?", f"sfumato trace {next(iter(drawn.pictures.values()))}"),
    ]  # fmt: skip
