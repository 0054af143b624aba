"""`sfumato comments`: words on any record."""

from typing import Annotated

import typer

from sfumato.cli.speech import answer, opened, table

app = typer.Typer(add_completion=False, no_args_is_help=True, help="Say something on any record.")
About = Annotated[str, typer.Argument(metavar="KIND/ID", help="The record.")]
Comment = Annotated[str, typer.Argument(metavar="COMMENT", help="The comment's id, as it is shown.")]
Text = Annotated[str, typer.Argument(metavar="WORDS", help="Plain text.")]


@app.command("list")
def list_(context: typer.Context, about: About) -> None:
    """List what was said on a record, oldest first.

    Example: `sfumato comments list dataset/ID`
    """
    from sfumato.people.comments import comments_on
    from sfumato.people.wording import printable

    with opened(context) as workspace:
        found = comments_on(workspace, about=about)
    rows = [
        (one.id, one.made_at.strftime("%Y-%m-%d %H:%M"), printable(one.by_name), printable(one.text),
         "changed" if one.edited_at else "")
        for one in found
    ]  # fmt: skip
    answer(context, found, lambda: table(["comment", "when", "who", "says", ""], rows, empty="Nobody said anything."))


@app.command()
def write(context: typer.Context, about: About, words: Text) -> None:
    """Say something on a record.

    Example: `sfumato comments write dataset/ID "The llamas look like sheep."`
    """
    from sfumato.people.comments import write_comment

    with opened(context) as workspace:
        found = write_comment(workspace, about=about, text=words)
    answer(context, found, lambda: f"Said. Its id is {found.id}.")


@app.command()
def edit(context: typer.Context, comment: Comment, words: Text) -> None:
    """Put other words in the place of your own.

    Example: `sfumato comments edit ID "The llamas look like goats."`
    """
    from sfumato.people.comments import edit_comment

    with opened(context) as workspace:
        found = edit_comment(workspace, comment=comment, text=words)
    answer(context, found, lambda: f"Changed. Its id is {found.id} now.")


@app.command()
def withdraw(context: typer.Context, comment: Comment) -> None:
    """Take a comment back.

    Example: `sfumato comments withdraw ID`
    """
    from sfumato.people.comments import withdraw_comment

    with opened(context) as workspace:
        withdraw_comment(workspace, comment=comment)
    answer(context, {"withdrawn": comment}, lambda: "Taken back.")
