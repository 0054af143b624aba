"""`sfumato data`: changing what is known of pictures, and mending their pixels; all of it can be undone."""

from collections.abc import Callable
from typing import Annotated, Any

import typer

from sfumato.cli.data_decide import Because, Name, Title, said
from sfumato.cli.narrowing import DRY_RUN, YES, Narrowed, agreed, narrowed, pair
from sfumato.cli.speech import answer, opened, table
from sfumato.errors import InvalidInput

app = typer.Typer(add_completion=False)
DryRun = Annotated[bool, DRY_RUN]
Yes = Annotated[bool, YES]


def decide(
    context: typer.Context, name: str, meant: Narrowed, action: Callable[..., Any], *, what: str, yes: bool,
    dry_run: bool, **options: Any,
) -> None:  # fmt: skip
    """Count and ask, then do it and tell how it is taken back."""
    with opened(context) as workspace:
        where = meant.where(workspace)
        if agreed(context, workspace, name, where, what=what, yes=yes, dry_run=dry_run):
            decision = action(workspace, name=name, where=where, **options)
            answer(context, decision, lambda: said(decision))


@app.command()
def caption(
    context: typer.Context,
    name: Name,
    item: Annotated[str, typer.Argument(metavar="ITEM", help="Its id, or the end of it.")],
    text: Annotated[str | None, typer.Argument(metavar="[TEXT]", help="The new caption.")] = None,
    tags: Annotated[str | None, typer.Option(metavar="TAG,TAG", help="The new tags, with commas between.")] = None,
    because: Because = "",
) -> None:
    """Give one picture a caption, tags, or both.

    Example: `sfumato data caption mine 4f7a2c "a red apple with a leaf"`
    """
    from sfumato.data.editing import recaption
    from sfumato.data.items import show_item

    with opened(context) as workspace:
        one = show_item(workspace, id=item).id
        decision = recaption(
            workspace, name=name, reason=because,
            captions=None if text is None else {one: text},
            tags=None if tags is None else {one: tags.split(",")},
        )  # fmt: skip
    answer(context, decision, lambda: said(decision))


@app.command()
@narrowed
def captions(
    *,
    context: typer.Context,
    name: Name,
    meant: Narrowed,
    find: Annotated[str, typer.Option(metavar="TEXT", help="What to look for.")] = "",
    replace: Annotated[str, typer.Option(metavar="TEXT", help="What to put in its place.")] = "",
    regex: Annotated[bool, typer.Option("--regex", help="What to look for is a regular expression.")] = False,
    case: Annotated[bool, typer.Option("--case", help="Capitals and small letters differ.")] = False,
    add_before: Annotated[str, typer.Option(metavar="WORDS", help="Put these before.")] = "",
    add_after: Annotated[str, typer.Option(metavar="WORDS", help="Put these behind.")] = "",
    remove: Annotated[str, typer.Option(metavar="WORDS,WORDS", help="Take these away.")] = "",
    lint: Annotated[bool, typer.Option("--lint", help="Mend space, quotes, entities, words said twice.")] = False,
    tags: Annotated[bool, typer.Option("--tags", help="Change tags instead of captions.")] = False,
    because: Because = "",
    title: Title = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would become of them.")] = False,
    yes: Yes = False,
) -> None:
    """Change many captions in one go: find and replace, add words, remove words, mend the writing.

    Example: `sfumato data captions mine --everything --find "stock photo of " --dry-run`
    """
    from sfumato.cli.speech import console
    from sfumato.data.caption_edits import edit_captions, preview_captions

    how: dict[str, Any] = {
        "part": "tags" if tags else "caption", "find": find, "replace": replace, "regex": regex, "case": case,
        "add_before": add_before, "add_after": add_after, "remove": remove, "lint": lint,
    }  # fmt: skip
    with opened(context) as workspace:
        where = meant.where(workspace)
        if dry_run or (not yes and console(stderr=True).is_terminal):
            shown = preview_captions(workspace, name=name, where=where.model_dump_json(), limit=10, **how)
            rows = [(one.item_id[-12:], one.before, one.after) for one in shown.first]
            headings, empty = ["id", f"{shown.n:,} of {shown.of:,}", "becomes"], f"None of {shown.of:,} would change."
            if dry_run:
                answer(context, shown, lambda: table(headings, rows, empty=empty))
                return
            console(stderr=True).print(table(headings, rows, empty=empty), markup=False)
            typer.confirm(f"Change {shown.n:,} of {shown.of:,}?", abort=True, err=True)
        decision = edit_captions(workspace, name=name, where=where, reason=because, title=title, **how)
    answer(context, decision, lambda: said(decision))


@app.command()
@narrowed
def relicense(
    *,
    context: typer.Context,
    name: Name,
    spdx: Annotated[str, typer.Argument(metavar="LICENCE", help="Its SPDX name, such as CC0-1.0.")],
    meant: Narrowed,
    proof: Annotated[str, typer.Option(metavar="TEXT", help="What proves it: what was read where.")] = "",
    url: Annotated[str, typer.Option(metavar="URL", help="Where it can be read.")] = "",
    because: Because = "",
    title: Title = "",
    dry_run: DryRun = False,
    yes: Yes = False,
) -> None:
    """Say under which licence pictures are, with the proof, which is kept with each.

    Example: `sfumato data relicense mine CC0-1.0 --source "folder old" --proof "letter of the maker, 3 May"`
    """
    from sfumato.data import editing

    decide(
        context, name, meant, editing.relicense, what="change the licence of", yes=yes, dry_run=dry_run,
        licence=spdx, proof=proof, url=url, reason=because, title=title,
    )  # fmt: skip


@app.command()
@narrowed
def consent(
    *,
    context: typer.Context,
    name: Name,
    answered: Annotated[str, typer.Argument(metavar="CONSENT", help="'given', 'refused', 'withdrawn', 'not needed'.")],
    meant: Narrowed,
    because: Because = "",
    dry_run: DryRun = False,
    yes: Yes = False,
) -> None:
    """Say whether whoever is shown agreed. What was refused or withdrawn is in no version that is frozen later.

    Example: `sfumato data consent mine withdrawn --ids 4f7a2c --because "by letter"`
    """
    from sfumato.data import editing
    from sfumato.data.records import CONSENTS
    from sfumato.errors import unknown

    if answered not in ("", *CONSENTS):
        raise unknown("consent", answered, CONSENTS)
    decide(
        context, name, meant, editing.set_consent, what="change the consent of", yes=yes, dry_run=dry_run,
        consent=answered, reason=because,
    )  # fmt: skip


@app.command()
@narrowed
def attributes(
    *,
    context: typer.Context,
    name: Name,
    meant: Narrowed,
    declare: Annotated[list[str], typer.Option("--set", metavar="NAME=VALUE", help="May be said again; '' removes.")],
    because: Because = "",
    dry_run: DryRun = False,
    yes: Yes = False,
) -> None:
    """Declare attributes of pictures, beside those that they have.

    Example: `sfumato data attributes mine --words "dark skin" --set skin=dark`
    """
    from sfumato.data import editing

    given = dict(pair(one) for one in declare)
    decide(
        context, name, meant, editing.set_attributes, what="change attributes of", yes=yes, dry_run=dry_run,
        attributes=given, reason=because,
    )  # fmt: skip


@app.command()
@narrowed
def weights(
    *,
    context: typer.Context,
    name: Name,
    weight: Annotated[float, typer.Argument(metavar="WEIGHT", min=0, max=1_000, help="1 is usual, 0 is never.")],
    meant: Narrowed,
    because: Because = "",
    dry_run: DryRun = False,
    yes: Yes = False,
) -> None:
    """Say how often pictures are drawn in training.

    Example: `sfumato data weights mine 2 --category "people"`
    """
    from sfumato.data import editing

    decide(
        context, name, meant, editing.set_weights, what="change the weight of", yes=yes, dry_run=dry_run, weight=weight,
        reason=because,
    )  # fmt: skip


@app.command()
@narrowed
def family(
    *,
    context: typer.Context,
    name: Name,
    into: Annotated[str, typer.Argument(metavar="FAMILY", help="Any name; '' takes them out of one.")],
    meant: Narrowed,
    because: Because = "",
    dry_run: DryRun = False,
    yes: Yes = False,
) -> None:
    """Say that pictures belong together, so that no split of a version parts them.

    Example: `sfumato data family mine "holiday 2019" --source "folder holiday"`
    """
    from sfumato.data import editing

    decide(
        context, name, meant, editing.set_family, what="change the family of", yes=yes, dry_run=dry_run, family=into,
        reason=because,
    )  # fmt: skip


@app.command()
@narrowed
def crop(
    *,
    context: typer.Context,
    name: Name,
    box: Annotated[str, typer.Argument(metavar="LEFT,TOP,RIGHT,BOTTOM", help="Shares of the sides, from 0 to 1.")],
    meant: Narrowed,
    because: Because = "",
    dry_run: DryRun = False,
    yes: Yes = False,
) -> None:
    """Crop pictures. What was collected stays, and undo brings it back.

    Example: `sfumato data crop mine 0,0,1,0.9 --ids 4f7a2c --because "a watermark below"`
    """
    from sfumato.data.mending import mend_pixels

    try:
        left, top, right, bottom = (float(one) for one in box.split(","))
    except ValueError as problem:
        raise InvalidInput(f"'{box}' is no LEFT,TOP,RIGHT,BOTTOM.", hint="For example 0,0,1,0.9") from problem
    decide(
        context, name, meant, mend_pixels, what="crop", yes=yes, dry_run=dry_run, crop=(left, top, right, bottom),
        reason=because,
    )  # fmt: skip


@app.command()
@narrowed
def rotate(
    *,
    context: typer.Context,
    name: Name,
    degrees: Annotated[int, typer.Argument(metavar="DEGREES", help="90, 180 or 270, clockwise.")],
    meant: Narrowed,
    because: Because = "",
    dry_run: DryRun = False,
    yes: Yes = False,
) -> None:
    """Turn pictures clockwise. What was collected stays, and undo brings it back.

    Example: `sfumato data rotate mine 90 --ids 4f7a2c`
    """
    from sfumato.data.mending import mend_pixels

    decide(context, name, meant, mend_pixels, what="turn", yes=yes, dry_run=dry_run, turn=degrees, reason=because)
