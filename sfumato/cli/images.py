"""`sfumato images`: pictures that were drawn here."""

from typing import TYPE_CHECKING, Annotated

import typer

from sfumato.cli.speech import answer, opened

if TYPE_CHECKING:
    from sfumato.care.erasure import ErasedView

app = typer.Typer(add_completion=False, no_args_is_help=True, help="Pictures that were drawn here.")
Reason = Annotated[str, typer.Option(metavar="TEXT", help="Why; it stays on record. Name no person in it.")]
YES = typer.Option("--yes", help="Do not ask; it cannot be undone.")


def told(erased: "ErasedView") -> str:
    """Say what was erased and what follows from it."""
    from sfumato.store.disk import in_words

    files = "1 file" if len(erased.sha256s) == 1 else f"{len(erased.sha256s)} files"
    return "\n".join([f"Erased {files} ({in_words(erased.bytes)}): {erased.reason}", *erased.says])


def erase_one(context: typer.Context, what: str, reason: str, *, yes: bool, among: tuple[str, ...]) -> None:
    """Erase a picture once a person at a terminal has said so, and tell what follows from it."""
    from sfumato.care.erasure import erase as erase_picture
    from sfumato.cli.speech import console

    with opened(context) as workspace:
        if not yes and console(stderr=True).is_terminal:
            typer.confirm(f"Erase '{what}' for good? It cannot be undone.", abort=True, err=True)
        erased = erase_picture(workspace, what, reason=reason, among=among)
    answer(context, erased, lambda: told(erased))


@app.callback()
def images() -> None:
    """Pictures that were drawn here."""


@app.command()
def erase(
    context: typer.Context,
    picture: Annotated[str, typer.Argument(metavar="PICTURE", help="Its id, the end of it, or its SHA-256.")],
    reason: Reason,
    yes: Annotated[bool, YES] = False,
) -> None:
    """Erase a picture for good, as it was drawn and as it left. Its hash and the reason stay.

    Example: `sfumato images erase 4f7a2c --reason "shows a person who did not agree"`
    """
    erase_one(context, picture, reason, yes=yes, among=("image", "published"))
