"""`sfumato data`: leaving pictures out, keeping them, and taking decisions back."""

from typing import Annotated, Any, get_args

import typer

from sfumato.cli.narrowing import DRY_RUN, YES, Narrowed, agreed, narrowed
from sfumato.cli.speech import answer, console, opened, pairs, table

app = typer.Typer(add_completion=False)
Name = Annotated[str, typer.Argument(metavar="NAME", help="The dataset's name.")]
Because = Annotated[str, typer.Option(metavar="TEXT", help="Why; it stays on record.")]
Title = Annotated[str, typer.Option(metavar="TEXT", help="What to call the decision, instead of what it does.")]
Key = Annotated[str, typer.Argument(metavar="DECISION", help="Its id, or the end of it.")]


def said(decision: Any) -> str:
    """Say what was decided, and how it is taken back."""
    n = "1 picture" if decision.n == 1 else f"{decision.n:,} pictures"
    count = "" if n in decision.name else f" ({n})"
    what = f"{decision.name[:1].upper()}{decision.name[1:]}{count} in {decision.dataset}"
    return f"{what}. To take it back: sfumato data undo {decision.id}"


@app.command("leave-out")
@narrowed
def leave_out(
    *,
    context: typer.Context,
    name: Name,
    meant: Narrowed,
    because: Because = "",
    title: Title = "",
    dry_run: Annotated[bool, DRY_RUN] = False,
    yes: Annotated[bool, YES] = False,
) -> None:
    """Leave pictures out of what is frozen from now on. Nothing is deleted, and it can be undone.

    Example: `sfumato data leave-out mine --check blur --because "too blurred to learn from"`
    """
    from sfumato.data.verdicts import leave_out as leave

    with opened(context) as workspace:
        where = meant.where(workspace)
        if agreed(context, workspace, name, where, what="leave out", yes=yes, dry_run=dry_run):
            decision = leave(workspace, name=name, where=where, reason=because, title=title)
            answer(context, decision, lambda: said(decision))


@app.command()
@narrowed
def keep(
    *,
    context: typer.Context,
    name: Name,
    meant: Narrowed,
    because: Because = "",
    title: Title = "",
    dry_run: Annotated[bool, DRY_RUN] = False,
    yes: Annotated[bool, YES] = False,
) -> None:
    """Keep pictures: what was left out comes back, and what was found of them is answered.

    Example: `sfumato data keep mine --check near_copies --because "they are variants"`
    """
    from sfumato.data.verdicts import keep as keep_them

    with opened(context) as workspace:
        where = meant.where(workspace)
        if agreed(context, workspace, name, where, what="keep", yes=yes, dry_run=dry_run):
            decision = keep_them(workspace, name=name, where=where, reason=because, title=title)
            answer(context, decision, lambda: said(decision))


@app.command("keep-best")
def keep_best(
    context: typer.Context,
    name: Name,
    *,
    check: Annotated[str, typer.Option(metavar="CHECK", help="The check that found the groups.")] = "near_copies",
    by: Annotated[str, typer.Option(metavar="HOW", help="'best', 'sharpest', 'largest' or 'first'.")] = "best",
    doubtful: Annotated[
        bool, typer.Option("--doubtful", help="Also where a part or the captions differ, which may be no copies.")
    ] = False,
    because: Because = "",
    title: Title = "",
    dry_run: Annotated[bool, DRY_RUN] = False,
    yes: Annotated[bool, YES] = False,
) -> None:
    """Of each group of copies keep one and leave the others out, with a reason for each.

    Example: `sfumato data keep-best mine --by largest`
    """
    from sfumato.data.choosing import keep_best as keep_one
    from sfumato.data.choosing import keep_best_would
    from sfumato.data.decide import in_words
    from sfumato.data.ranking import By
    from sfumato.errors import unknown

    if by not in get_args(By):
        raise unknown("way of choosing", by, get_args(By))
    with opened(context) as workspace:
        how: Any = by
        if dry_run or (not yes and console(stderr=True).is_terminal):
            would = keep_best_would(workspace, name=name, check=check, by=how, doubtful=doubtful)
            groups = f"{would.groups:,} group{'s' * (would.groups != 1)}"
            what = f"keep the {by} of {groups}, leave out {in_words(would.left_out)}"
            if dry_run:
                return answer(context, would, lambda: f"This would {what}. Nothing was changed.")
            typer.confirm(f"This will {what}. Go on?", abort=True, err=True)
        decision = keep_one(workspace, name=name, check=check, by=how, doubtful=doubtful, reason=because, title=title)
    n = decision.details.get("doubtful", 0)
    wait = f"\nLeft to you, since in doubt: {n:,}. `sfumato data groups {name} --check {check} --doubtful` shows them."
    answer(context, decision, lambda: said(decision) + wait * bool(n))


@app.command("pick-diverse")
@narrowed
def pick_diverse(
    *,
    context: typer.Context,
    name: Name,
    n: Annotated[int, typer.Argument(metavar="N", min=1, help="How many to keep.")],
    meant: Narrowed,
    because: Because = "",
    title: Title = "",
    dry_run: Annotated[bool, DRY_RUN] = False,
    yes: Annotated[bool, YES] = False,
) -> None:
    """Keep the N pictures that are most different from each other, and leave the others out, with reasons.

    Example: `sfumato data pick-diverse mine 500 --everything`
    """
    from sfumato.cli.following import follow
    from sfumato.data.choosing import pick_diverse as ask

    with opened(context) as workspace:
        where = meant.where(workspace)
        if not agreed(context, workspace, name, where, what=f"keep {n:,} of", yes=yes, dry_run=dry_run):
            return
        job = follow(context, workspace, ask(workspace, name=name, n=n, where=where, reason=because, title=title))
    told = job.result or {}
    undo_it = f" To take it back: sfumato data undo {told.get('decision', '')}"
    answer(context, told, lambda: f"{told.get('say', '')}{undo_it}")


@app.command()
def undo(context: typer.Context, decision: Key, because: Because = "") -> None:
    """Take a decision back as a whole; undoing an undo does it again. Frozen versions stay as they are.

    Example: `sfumato data undo 4f7a2c`
    """
    from sfumato.data.verdicts import undo as take_back

    with opened(context) as workspace:
        found = take_back(workspace, id=decision, reason=because)
    answer(context, found, lambda: said(found))


@app.command()
def history(
    context: typer.Context,
    name: Name,
    item: Annotated[str, typer.Option(metavar="ITEM", help="Of this picture alone, with what was found of it.")] = "",
    after: Annotated[str | None, typer.Option(metavar="ID", help="Go on after this one.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=200, help="How many.")] = 50,
) -> None:
    """List what was decided of a dataset's pictures, the newest first.

    Example: `sfumato data history mine`
    """
    from sfumato.data.history import item_history, list_decisions

    with opened(context) as workspace:
        if item:
            one = item_history(workspace, id=item)
            lines = [
                (found.decision.id[-12:], f"{found.decision.made_at:%Y-%m-%d %H:%M}", found.decision.by_name,
                 found.decision.name, changes(found.before, found.after))
                for found in one.decisions
            ]  # fmt: skip
            open_ones = [(f.state, f.check, f"{f.score:.2f}", f.reason) for f in one.findings]
            answer(context, one, lambda: table(["id", "when", "who", "what", "changed"], lines, empty="Never touched."))
            if open_ones and not context.find_root().obj.json:
                answer(context, one, lambda: table(["finding", "check", ">score", "why"], open_ones, empty=""))
            return
        found = list_decisions(workspace, name=name, after=after, limit=limit)
    rows = [
        (d.id[-12:], f"{d.made_at:%Y-%m-%d %H:%M}", d.by_name, d.name, d.n, d.reason, "undone" if d.undone_by else "")
        for d in found
    ]
    headings = ["id", "when", "who", "what", ">pictures", "why", ""]
    answer(context, found, lambda: table(headings, rows, empty="Nothing was decided yet."))


def changes(before: dict[str, Any], after: dict[str, Any]) -> str:
    """Say what became of each column: "state: kept → left out"."""
    return "; ".join(f"{column}: {before.get(column)} → {value}" for column, value in after.items())


@app.command()
def decision(
    context: typer.Context,
    decision: Key,
    after: Annotated[str | None, typer.Option(metavar="ID", help="Go on after this picture.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=200, help="How many pictures.")] = 50,
) -> None:
    """Show one decision, and what it made of each picture.

    Example: `sfumato data decision 4f7a2c`
    """
    from sfumato.data.history import list_decided, show_decision

    with opened(context) as workspace:
        one = show_decision(workspace, id=decision)
        lines = list_decided(workspace, id=one.id, after=after, limit=limit)
    known = [
        ("decision", one.name), ("id", one.id), ("dataset", one.dataset), ("pictures", one.n), ("by", one.by_name),
        ("when", f"{one.made_at:%Y-%m-%d %H:%M}"), ("why", one.reason), ("undone by", one.undone_by),
        *((line.item, changes(line.before, line.after)) for line in lines),
    ]  # fmt: skip
    answer(context, {"decision": one, "items": lines}, lambda: pairs(known))


@app.command()
def lineage(
    context: typer.Context,
    version: Annotated[str, typer.Argument(metavar="NAME@VERSION", help="A frozen version; NAME is the newest.")],
) -> None:
    """Say what a frozen version rests on: what was left out, and what was decided since the one before.

    Example: `sfumato data lineage mine@latest`
    """
    from sfumato.data.rests import show_lineage

    with opened(context) as workspace:
        found = show_lineage(workspace, label=version)
    rows = [(d.id[-12:], f"{d.made_at:%Y-%m-%d %H:%M}", d.by_name, d.name, d.n, d.reason) for d in found.decisions]
    grid = table(["id", "when", "who", "what", ">pictures", "why"], rows, empty=found.says)
    answer(context, found, lambda: grid)


@app.command()
def diff(
    context: typer.Context,
    before: Annotated[str, typer.Argument(metavar="NAME@VERSION", help="A frozen version.")],
    after: Annotated[str, typer.Argument(metavar="NAME@VERSION", help="Another one.")],
    show: Annotated[str, typer.Option(metavar="KIND", help="List pictures: 'added', 'removed' or 'changed'.")] = "",
    start: Annotated[int, typer.Option(min=0, help="Go on from this place of the list.")] = 0,
    limit: Annotated[int, typer.Option(min=1, max=200, help="How many pictures.")] = 50,
) -> None:
    """Say what became of one frozen version on the way to another, and what was decided between.

    Example: `sfumato data diff mine@3f7c21ab mine@latest --show changed`
    """
    from sfumato.data.diff import diff as compare
    from sfumato.data.diff import list_differing

    with opened(context) as workspace:
        if show:
            kind: Any = show
            found = list_differing(workspace, first=before, second=after, kind=kind, start=start, count=limit)
            rows = [(one.place + 1, one.item_id[-12:], one.name or one.sha256[:12], became(one)) for one in found]
            grid = table([">", "id", "picture", "changed"], rows, empty=f"Nothing was {show}.")
            answer(context, found, lambda: grid)
            return
        told = compare(workspace, first=before, second=after)
    columns = (("splits", told.splits), ("licences", told.licences), ("styles", told.styles))
    known = [("", told.says), *((word, moved(both.before, both.after)) for word, both in columns)]
    answer(context, told, lambda: pairs(known))


def became(one: Any) -> str:
    """Say what became of a picture's columns."""
    return "; ".join(
        "pixels" if column == "sha256" else f"{column}: {old} → {new}" for column, (old, new) in one.changes.items()
    )


def moved(before: dict[str, int], after: dict[str, int]) -> str:
    """Say which counts differ: "9 → 12 MIT"."""
    names = [name for name in {**before, **after} if before.get(name, 0) != after.get(name, 0)]
    return ", ".join(f"{before.get(name, 0):,} → {after.get(name, 0):,} {name or 'unnamed'}" for name in names)
