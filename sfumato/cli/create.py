"""`sfumato create`: a sentence becomes pictures, after a word on what the model knows of it."""

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sfumato.cli.following import follow
from sfumato.cli.speech import answer, asked, console, opened

if TYPE_CHECKING:
    from sfumato.generation.create import Asked, Created

app = typer.Typer(add_completion=False)
FINE = "Finer points"


@app.command()
def create(
    context: typer.Context,
    prompt: Annotated[str, typer.Argument(metavar="SENTENCE", help="What to draw, and in which style.")],
    *,
    n: Annotated[int | None, typer.Option("-n", help="How many pictures.", show_default="4")] = None,
    seed: Annotated[int | None, typer.Option(help="Of the first picture; the same again gives the same.")] = None,
    out: Annotated[Path | None, typer.Option(metavar="DIR", help="Where to, else the workspace's pictures.")] = None,
    background: Annotated[
        str | None, typer.Option(help="white, transparent, or a colour such as #ffcc00.", show_default="white")
    ] = None,
    upscale: Annotated[int | None, typer.Option(help="1, 2, 4 or 8 times larger.", show_default="4")] = None,
    private: Annotated[bool, typer.Option("--private", help="Leave the sentence out of files and names.")] = False,
    model: Annotated[str | None, typer.Option(help="Another model than the one that comes along.")] = None,
    sampler: Annotated[
        str | None,
        typer.Option(help="dpmpp_2m, heun or euler.", show_default="dpmpp_2m", rich_help_panel=FINE),
    ] = None,
    steps: Annotated[
        int | None, typer.Option(help="Steps from noise to picture.", show_default="12", rich_help_panel=FINE)
    ] = None,
    guidance: Annotated[
        float | None,
        typer.Option(
            help="How strongly the words count: 1 as learnt, 0 not at all.", show_default="4", rich_help_panel=FINE
        ),
    ] = None,
    engine: Annotated[
        str | None,
        typer.Option(help="auto, onnx_local or torch_local.", show_default="auto", rich_help_panel=FINE),
    ] = None,
    no_wait: Annotated[
        bool, typer.Option("--no-wait", help="Ask and leave; `sfumato worker` does it.", rich_help_panel=FINE)
    ] = False,
) -> None:
    """Draw pictures of a sentence, and sign them. Before drawing it says what the model knows of the words.

    Example: `sfumato create "a red apple, noto style" -n 4 --seed 7 --out apples`
    """
    from sfumato.generation.create import create as ask
    from sfumato.generation.create import created

    given = {
        "n": n, "seed": seed, "model": model, "sampler": sampler, "steps": steps, "guidance": guidance,
        "background": background, "upscale": upscale, "private": private or None, "engine": engine,
    }  # fmt: skip
    options = {name: value for name, value in given.items() if value is not None}
    with opened(context) as workspace:
        wanted = ask(workspace, prompt=prompt, out=out, options=options, nearby=not no_wait)
        if not asked(context).json:
            console(stderr=True).print(wanted.said, markup=False, soft_wrap=True, style="dim")
        if no_wait:
            short = wanted.job.id[-6:]
            said = f"Asked for. `sfumato worker` does it, `sfumato jobs show {short}` shows it."
            answer(context, {"request_id": wanted.request_id, "seed": wanted.seed, "job": wanted.job}, lambda: said)
            return
        made = created(wanted, follow(context, workspace, wanted.job, nearby=True))
    tell(context, wanted, made, shlex.join(["--model", model]) if model else "")


def tell(context: typer.Context, wanted: "Asked", made: "Created", more: str) -> None:
    """Show the pictures, where they lie, and what may be done with them."""
    if not asked(context).json:
        from sfumato.cli.pictures import show

        show([one.path for one in made.pictures], console())
    paths = [shlex.quote(str(one.path)) for one in made.pictures]
    lines = [f"{path}  seed {one.seed}" for path, one in zip(paths, made.pictures, strict=True)]
    answer(context, made, lambda: "\n".join([*lines, "", *next_steps(wanted, paths[0], more)]))


def next_steps(wanted: "Asked", path: str, more: str) -> list[str]:
    """What a person may want to do next, as commands to copy."""
    from sfumato.data.captions import style_words

    known: Any = wanted.understood
    other = next((style for style in known.styles if style != known.style), "")
    sentence = f"{known.subject}, {style_words(other)} style" if other else known.subject
    again = " ".join(filter(None, ["sfumato create", shlex.quote(sentence), "-n 10", more]))
    return [
        f"What is it made from, and may I use it?  sfumato trace {path}",
        f"Is it unchanged, and signed here?        sfumato verify {path}",
        f"Ten more{' in another style' if other else ''}:{'' if other else ' ' * 17}               {again}",
    ]
