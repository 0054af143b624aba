"""`sfumato keys`: the key that pictures are signed with."""

from typing import Any

import typer

from sfumato.cli.speech import answer, opened, pairs

app = typer.Typer(add_completion=False, no_args_is_help=True, help="The key that pictures are signed with.")


def told(keys: Any) -> Any:
    """Say what may be known of the keys."""
    if not keys.fingerprint:
        return "There is no key yet. The first picture makes one."
    known = [
        ("signs as", keys.signer), ("fingerprint", keys.fingerprint), ("since", keys.made_at[:10]),
        ("until", keys.valid_until[:10]), ("earlier keys", keys.earlier or "none"), ("lies in", keys.folder),
    ]  # fmt: skip
    return pairs(known)


@app.command()
def show(context: typer.Context) -> None:
    """Show which key signs, since when, and where it lies. Its secret is never shown.

    Example: `sfumato keys show`
    """
    from sfumato.trust.keys import show_keys

    with opened(context) as workspace:
        keys = show_keys(workspace)
    answer(context, keys, lambda: told(keys))


@app.command()
def rotate(context: typer.Context) -> None:
    """Sign with a fresh key from now on. Earlier pictures still verify as signed here.

    Example: `sfumato keys rotate`
    """
    from sfumato.trust.keys import rotate_keys

    with opened(context) as workspace:
        keys = rotate_keys(workspace)
    answer(context, keys, lambda: told(keys))
