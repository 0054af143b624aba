"""`sfumato asks`: what people want of each other, and what came of it."""

from datetime import datetime
from typing import Annotated, Any

import typer

from sfumato.cli.speech import answer, opened, pairs, table

app = typer.Typer(
    add_completion=False, no_args_is_help=True, help="Ask a role or a person for something, and answer with evidence."
)
Ask = Annotated[str, typer.Argument(metavar="ASK", help="Its id, or the end of it.")]
Due = Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Until when: 2027-01-31.")]
Version = Annotated[int | None, typer.Option(help="The version that you saw, so as to overwrite nothing newer.")]


def listed(found: list[Any], empty: str) -> Any:
    """Lay asks out, one a line."""
    from sfumato.people.wording import shortened

    rows = [
        (one.id[-6:], shortened(one.by_name), one.to_name, shortened(one.question), one.due, one.status)
        for one in found
    ]
    return table(["ask", "from", "to", "what", "due", "is"], rows, empty=empty)


def told(one: Any) -> Any:
    """Lay out one ask with everything that came of it."""
    from sfumato.people.wording import printable

    came = [
        (reply.kind, printable(f"{reply.by_name}: {reply.words}") + (f" ({reply.evidence})" if reply.evidence else ""))
        for reply in one.replies
    ]
    return pairs([
        ("ask", one.id), ("from", printable(one.by_name)), ("to", one.to_name), ("what", printable(one.question)),
        ("about", ", ".join(one.refs)), ("due", one.due), ("is", f"{one.status}, version {one.version}"), *came,
    ])  # fmt: skip


@app.command("list")
def list_(
    context: typer.Context,
    mine: Annotated[bool, typer.Option("--mine", help="What you have asked, and what came of it.")] = False,
    about: Annotated[str | None, typer.Option(metavar="KIND/ID", help="What was asked about a record.")] = None,
) -> None:
    """List what waits for you.

    Example: `sfumato asks list`
    """
    from sfumato.people.asks import asks_about, asks_of_mine, asks_waiting

    with opened(context) as workspace:
        if about is not None:
            found = asks_about(workspace, ref=about)
        else:
            found = asks_of_mine(workspace) if mine else asks_waiting(workspace)
    answer(context, found, lambda: listed(found, "Nothing." if mine or about else "Nothing waits for you."))


@app.command()
def show(context: typer.Context, ask: Ask) -> None:
    """Show an ask and everything that came of it.

    Example: `sfumato asks show 3fa21c`
    """
    from sfumato.people.asks import show_ask

    with opened(context) as workspace:
        found = show_ask(workspace, ask=ask)
    answer(context, found, lambda: told(found))


@app.command()
def make(
    context: typer.Context,
    question: Annotated[str, typer.Argument(metavar="QUESTION", help="What you want, in a sentence or two.")],
    to: Annotated[str, typer.Option(metavar="ROLE", help="A role, such as data scientist, or person/ID.")],
    about: Annotated[
        list[str] | None, typer.Option(metavar="KIND/ID", help="A record to pin; may be repeated.")
    ] = None,
    due: Due = None,
) -> None:
    """Ask a role or a person for something.

    Example: `sfumato asks make "More llamas, please" --to "data scientist" --about dataset/ID`
    """
    from sfumato.people.asks import make_ask

    with opened(context) as workspace:
        found = make_ask(workspace, question=question, to=to, refs=about or [], due=due.date() if due else None)
    answer(context, found, lambda: told(found))


@app.command()
def change(
    context: typer.Context,
    ask: Ask,
    version: Annotated[int, typer.Option(help="The version that you saw.")],
    question: Annotated[str | None, typer.Option(help="What you want instead.")] = None,
    to: Annotated[str | None, typer.Option(metavar="ROLE", help="Whom you ask instead.")] = None,
    due: Due = None,
) -> None:
    """Change what you have asked, whom, or until when.

    Example: `sfumato asks change 3fa21c --version 2 --to researcher`
    """
    from sfumato.people.asks import change_ask

    until = due.date() if due else None
    with opened(context) as workspace:
        found = change_ask(workspace, ask=ask, version=version, question=question, to=to, due=until)
    answer(context, found, lambda: told(found))


@app.command("answer")
def answer_(
    context: typer.Context,
    ask: Ask,
    words: Annotated[str, typer.Argument(metavar="WORDS", help="What came of it.")],
    evidence: Annotated[str, typer.Option(metavar="KIND/ID", help="What you did (event/ID), or a record.")],
    version: Version = None,
) -> None:
    """Close an ask with what you did, or with a record that answers it.

    Example: `sfumato asks answer 3fa21c "40 more llamas" --evidence dataset_version/ID`
    """
    from sfumato.people.asks import answer_ask

    with opened(context) as workspace:
        found = answer_ask(workspace, ask=ask, words=words, evidence=evidence, version=version)
    answer(context, found, lambda: told(found))


@app.command()
def decline(
    context: typer.Context,
    ask: Ask,
    because: Annotated[str, typer.Option(help="Why; who asked is told.")],
    version: Version = None,
) -> None:
    """Hand an ask back to who asked; it stays open for others.

    Example: `sfumato asks decline 3fa21c --because "we have no llamas"`
    """
    from sfumato.people.asks import decline_ask

    with opened(context) as workspace:
        found = decline_ask(workspace, ask=ask, reason=because, version=version)
    answer(context, found, lambda: told(found))


@app.command()
def withdraw(
    context: typer.Context,
    ask: Ask,
    because: Annotated[str, typer.Option(help="Why, for those who were asked.")] = "",
    version: Version = None,
) -> None:
    """Take back what you have asked.

    Example: `sfumato asks withdraw 3fa21c`
    """
    from sfumato.people.asks import withdraw_ask

    with opened(context) as workspace:
        found = withdraw_ask(workspace, ask=ask, reason=because, version=version)
    answer(context, found, lambda: told(found))


@app.command()
def notices(
    context: typer.Context,
    read: Annotated[int | None, typer.Option(metavar="POSITION", help="Take note of all up to this one.")] = None,
) -> None:
    """Show what happened to your things since you last looked, newest first.

    Example: `sfumato asks notices`
    """
    from sfumato.people.notices import read_to, unread
    from sfumato.people.wording import shortened

    with opened(context) as workspace:
        if read is not None:
            read_to(workspace, position=read)
        found = unread(workspace)
    rows = [
        (one.position, one.made_at.strftime("%Y-%m-%d %H:%M"), shortened(one.by_name), shortened(one.summary, 120))
        for one in found.notices
    ]
    answer(context, found, lambda: table([">position", "when", "who", "what"], rows, empty="Nothing new."))
