"""`sfumato review`: approving, rejecting and rating pictures, and what others said of them."""

from typing import Annotated, Any

import typer

from sfumato.cli.speech import answer, opened, table

app = typer.Typer(
    add_completion=False, no_args_is_help=True, help="Approve, reject and rate pictures, and see what others said."
)
Subjects = Annotated[list[str], typer.Argument(metavar="PICTURE...", help="Ids, the ends of them, or kind/ID.")]
Because = Annotated[str, typer.Option(help="Why; it is told wherever somebody asks.")]


def said(found: Any, what: str) -> str:
    """Say what one act did, and how it is taken back."""
    n = len(found.subjects)
    things = "1 picture" if n == 1 else f"{n:,} pictures"
    if not found.changed:
        return f"You have said so of {things} already."
    return f"{what} {things}. To take it back: sfumato review withdraw --batch {found.batch}"


@app.command()
def approve(context: typer.Context, pictures: Subjects, because: Because = "") -> None:
    """Approve pictures.

    Example: `sfumato review approve 3fa21c`
    """
    from sfumato.review.judge import approve as approve_all

    with opened(context) as workspace:
        found = approve_all(workspace, subjects=pictures, reason=because)
    answer(context, found, lambda: said(found, "Approved"))


@app.command()
def reject(
    context: typer.Context, pictures: Subjects, because: Annotated[str, typer.Option(help="Why; it must be said.")]
) -> None:
    """Reject pictures, with a reason.

    Example: `sfumato review reject 3fa21c --because "six fingers"`
    """
    from sfumato.review.judge import reject as reject_all

    with opened(context) as workspace:
        found = reject_all(workspace, subjects=pictures, reason=because)
    answer(context, found, lambda: said(found, "Rejected"))


@app.command()
def rate(
    context: typer.Context,
    pictures: Subjects,
    rating: Annotated[int, typer.Option(min=1, max=5, help="From 1 (poor) to 5 (excellent).")],
    because: Because = "",
) -> None:
    """Rate pictures from 1 to 5.

    Example: `sfumato review rate 3fa21c --rating 4`
    """
    from sfumato.review.judge import rate as rate_all

    with opened(context) as workspace:
        found = rate_all(workspace, subjects=pictures, rating=rating, reason=because)
    answer(context, found, lambda: said(found, "Rated"))


@app.command()
def withdraw(
    context: typer.Context,
    pictures: Annotated[list[str] | None, typer.Argument(metavar="[PICTURE...]", help="Ids, or kind/ID.")] = None,
    batch: Annotated[str | None, typer.Option(metavar="ID", help="All that one act said, as it told.")] = None,
) -> None:
    """Take back what you said last of pictures; what you had said before stands again.

    Example: `sfumato review withdraw 3fa21c`
    """
    from sfumato.review.judge import withdraw as take_back

    with opened(context) as workspace:
        found = take_back(workspace, subjects=pictures or None, batch=batch)
    n = len(found.subjects)
    answer(context, found, lambda: f"Took it back for {n:,} picture{'' if n == 1 else 's'}.")


@app.command("list")
def list_(
    context: typer.Context,
    after: Annotated[str | None, typer.Option(metavar="ID", help="Go on after this one.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=200, help="How many.")] = 48,
) -> None:
    """List pictures that you have not judged yet, newest first.

    Example: `sfumato review list`
    """
    from sfumato.review.queue import queue

    with opened(context) as workspace:
        found = queue(workspace, after=after, limit=limit)
    rows = [(one.id, one.title, one.made_at.strftime("%Y-%m-%d %H:%M")) for one in found]
    answer(context, found, lambda: table(["picture", "what", "made"], rows, empty="Nothing waits to be judged by you."))


@app.command()
def show(context: typer.Context, picture: Annotated[str, typer.Argument(metavar="PICTURE", help="Its id.")]) -> None:
    """Show everything that was said of a picture, newest first.

    Example: `sfumato review show 3fa21c`
    """
    from sfumato.people.wording import printable
    from sfumato.review.judge import review_of

    with opened(context) as workspace:
        found = review_of(workspace, subject=picture)
    rows = [
        (one.made_at.strftime("%Y-%m-%d %H:%M"), printable(one.by_name),
         "took it back" if one.withdraws else one.verdict or f"{one.rating} of 5",
         "stands" if one.stands else "", printable(one.reason))
        for one in found.history
    ]  # fmt: skip
    answer(context, found, lambda: table(["when", "who", "said", "", "why"], rows, empty="Nobody has judged it yet."))


@app.command()
def share(context: typer.Context, model: Annotated[str, typer.Argument(metavar="MODEL", help="Its name.")]) -> None:
    """Say how many of a model's pictures were approved, with the interval in which the true share lies.

    Example: `sfumato review share emoji-styles-small`
    """
    from sfumato.review.share import approval_share

    with opened(context) as workspace:
        found = approval_share(workspace, model=model)
    answer(context, found, lambda: f"{found.model}: {found.words}")
