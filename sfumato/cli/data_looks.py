"""`sfumato data`: the map, search by a picture, and help with captions."""

from pathlib import Path
from typing import Annotated, Any

import typer

from sfumato.cli.data_decide import Because, Name
from sfumato.cli.data_edit import DryRun, Yes, decide
from sfumato.cli.following import follow
from sfumato.cli.narrowing import Narrowed, narrowed
from sfumato.cli.speech import answer, counts, opened, table
from sfumato.errors import InvalidInput, unknown

app = typer.Typer(add_completion=False)
By = Annotated[
    list[str] | None, typer.Option(metavar="HELPER", help="file, folder, neighbours or labels; may be said again.")
]


def helpers(by: list[str] | None) -> list[Any] | None:
    """Whom to ask, as they were named, None for all of them; raises NotFound with the nearest name."""
    from sfumato.data.suggest import HELPERS

    wrong = [one for one in by or [] if one not in HELPERS]
    if wrong:
        raise unknown("helper", wrong[0], HELPERS)
    return list(by) if by else None


@app.command("map")
def map_(context: typer.Context, name: Name) -> None:
    """Lay a dataset's pictures out in two dimensions, those that look alike near each other. The studio shows it.

    With `sfumato[map]` by t-SNE, else by principal components.

    Example: `sfumato data map mine`
    """
    from sfumato.data.map import draw_map, show_map

    with opened(context) as workspace:
        follow(context, workspace, draw_map(workspace, name=name))
        shown = show_map(workspace, name=name)
    without = f", {shown.missing:,} could not be seen" if shown.missing else ""
    answer(context, shown, lambda: f"Laid {len(shown.ids):,} pictures out by {shown.way}{without}.")


@app.command()
def alike(
    context: typer.Context,
    name: Name,
    picture: Annotated[str, typer.Argument(metavar="PICTURE", help="A file, or an item's id or the end of it.")],
    limit: Annotated[int, typer.Option(min=1, max=200, help="How many at most.")] = 12,
) -> None:
    """Find the pictures of a dataset that look most like one of them, or like a file.

    Example: `sfumato data alike mine ./holiday.jpg`
    """
    import base64

    from sfumato.data.alike import LARGEST, find_alike

    path = Path(picture).expanduser()
    asked = {"id": picture}
    if path.is_file():
        if path.stat().st_size * 4 // 3 > LARGEST:
            raise InvalidInput(f"{path} is larger than {LARGEST * 3 // 4_000_000} MB.", hint="Send a smaller copy.")
        asked = {"picture": base64.b64encode(path.read_bytes()).decode()}
    with opened(context) as workspace:
        found = find_alike(workspace, name=name, limit=limit, **asked)
    rows = [(one.id[-12:], one.name, f"{one.cosine:.3f}") for one in found]
    answer(context, found, lambda: table(["item", "caption", ">likeness"], rows, empty="Nothing looks like it."))


@app.command()
@narrowed
def suggest(
    *,
    context: typer.Context,
    name: Name,
    meant: Narrowed,
    by: By = None,
    with_caption: Annotated[bool, typer.Option("--with-caption", help="Also for pictures that have one.")] = False,
) -> None:
    """Suggest captions, from the file, its folder, pictures that look alike and ImageNet's names. None changes yet.

    Example: `sfumato data suggest mine --everything`
    """
    from sfumato.data.suggest import suggest_captions

    with opened(context) as workspace:
        where = meant.where(workspace)
        job = suggest_captions(workspace, name=name, where=where, by=helpers(by), with_caption=with_caption)
        result = follow(context, workspace, job).result or {}
    begin = f"Suggested captions for {result.get('n', 0):,} of {result.get('of', 0):,} pictures"
    told = f" ({counts(result['by'])})" if result.get("by") else ""
    then = f"\n`sfumato data accept-suggestions {name} --suggested` makes them captions." if result.get("n") else ""
    answer(context, result, lambda: f"{begin}{told}.{then}")


@app.command("accept-suggestions")
@narrowed
def accept_suggestions(
    *, context: typer.Context, name: Name, meant: Narrowed, by: By = None, because: Because = "",
    dry_run: DryRun = False, yes: Yes = False,
) -> None:  # fmt: skip
    """Make suggested captions the captions of pictures.

    Example: `sfumato data accept-suggestions mine --suggested --by folder`
    """
    from sfumato.data import suggest

    decide(
        context, name, meant, suggest.accept_suggestions, what="accept what is suggested for", yes=yes,
        dry_run=dry_run, by=helpers(by), reason=because,
    )  # fmt: skip


@app.command("refuse-suggestions")
@narrowed
def refuse_suggestions(
    *, context: typer.Context, name: Name, meant: Narrowed, by: By = None, because: Because = "",
    dry_run: DryRun = False, yes: Yes = False,
) -> None:  # fmt: skip
    """Clear suggested captions; the captions stay as they are.

    Example: `sfumato data refuse-suggestions mine --suggested --by labels`
    """
    from sfumato.data import suggest

    decide(
        context, name, meant, suggest.refuse_suggestions, what="clear what is suggested for", yes=yes,
        dry_run=dry_run, by=helpers(by), reason=because,
    )  # fmt: skip
