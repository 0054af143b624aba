"""`sfumato data diversity`, `balance`, `plan` and `apply-plan`: what a dataset shows, and how it is made even."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from sfumato.cli.data_documents import chosen
from sfumato.cli.following import follow
from sfumato.cli.narrowing import Narrowed, narrowed
from sfumato.cli.speech import answer, opened, table

if TYPE_CHECKING:
    from sfumato.data.plans import BalancePlan

app = typer.Typer(add_completion=False)
Name = Annotated[str, typer.Argument(metavar="NAME", help="The dataset's name.")]
Over = Annotated[list[str], typer.Option("--over", metavar="NAME", help="An attribute or column; may be said again.")]
Target = Annotated[str, typer.Option(metavar="TARGET", help="equal, as:DATASET, or shares as JSON.")]
How = Annotated[str, typer.Option(metavar="HOW", help="weight, 'leave out' or collect.")]


@app.command()
@narrowed
def diversity(
    *,
    context: typer.Context,
    meant: Narrowed,
    name: Name,
    by: Annotated[str, typer.Option(metavar="COLUMN", help="What its categories are: category, style, source.")]
    = "category",
) -> None:
    """Say how many different pictures there are in effect, as a whole and per category, beside chance.

    Example: `sfumato data diversity emoji-styles --by style`
    """
    from sfumato.data.diversity import ask_diversity

    with opened(context) as workspace:
        where = chosen(meant, workspace).model_dump_json()
        result = follow(context, workspace, ask_diversity(workspace, name=name, by=by, where=where)).result or {}
    answer(context, result, lambda: "\n".join(result["says"]))


@app.command()
@narrowed
def balance(
    *, context: typer.Context, meant: Narrowed, name: Name, over: Over = [], target: Target = "equal"  # noqa: B006
) -> None:
    """Show the shares of what pictures declare, with intervals, beside what they ought to be, and what they tell.

    Example: `sfumato data balance emoji-styles --over "skin tone"`
    """
    from sfumato.data.balance import show_balance

    with opened(context) as workspace:
        where = chosen(meant, workspace).model_dump_json()
        found = show_balance(workspace, name=name, attributes=over or None, target=target, where=where)
    said = [line for one in found.balances for line in one.says] + [one.says for one in found.crossed]
    answer(context, found, lambda: "\n".join(said))


@app.command()
@narrowed
def plan(
    *, context: typer.Context, meant: Narrowed, name: Name, over: Over, target: Target = "equal", how: How = "weight"
) -> None:
    """Plan how a dataset becomes balanced, and show its shares before and after; nothing changes.

    Example: `sfumato data plan emoji-styles --over "skin tone" --how weight`
    """
    from sfumato.data.plans import plan_balance

    with opened(context) as workspace:
        where = chosen(meant, workspace).model_dump_json()
        found = plan_balance(
            workspace, name=name, attributes=over, target=target, how=how, where=where,  # type: ignore[arg-type]
        )  # fmt: skip
    answer(context, found, lambda: _planned(found))


@app.command("apply-plan")
@narrowed
def apply_plan(
    *,
    context: typer.Context,
    meant: Narrowed,
    name: Name,
    over: Over,
    target: Target = "equal",
    how: How = "weight",
    reason: Annotated[str, typer.Option(metavar="TEXT", help="Why; it stays on record.")] = "",
    seen: Annotated[str, typer.Option(metavar="MARK", help="What the plan that was looked at is marked by.")] = "",
) -> None:
    """Apply a balance plan as one decision: weights for training, or pictures left out. It can be undone.

    Example: `sfumato data apply-plan emoji-styles --over "skin tone" --how weight`
    """
    from sfumato.data.plans import apply_plan as apply_now

    with opened(context) as workspace:
        where = chosen(meant, workspace).model_dump_json()
        made = apply_now(
            workspace, name=name, attributes=over, target=target, how=how, where=where,  # type: ignore[arg-type]
            reason=reason, seen=seen,
        )  # fmt: skip
    answer(
        context, made,
        lambda: f"{made.name}: {made.n:,} pictures. `sfumato data undo {made.id[-12:]}` takes it back.",
    )  # fmt: skip


def _planned(found: "BalancePlan") -> Any:
    """The plan as a table, with what it says below."""
    from rich.console import Group

    rows = [
        (one.group, one.n, f"{one.before:.1%}", f"{one.target:.1%}", f"{one.after:.1%}", f"{one.weight:.3g}",
         one.leave_out, one.collect)
        for one in found.groups
    ]  # fmt: skip
    headings = ["group", ">pictures", ">share", ">target", ">after", ">weight", ">leave out", ">collect"]
    return Group(table(headings, rows, empty="There are no groups."), "", f"{found.says} Marked {found.seen}.")
