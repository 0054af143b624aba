"""`sfumato studio`: the web face of the workspace, with its workers, until Ctrl-C."""

from pathlib import Path
from typing import Annotated

import typer

from sfumato.cli.speech import asked, console, opened

app = typer.Typer(add_completion=False)
OTHERS = "For others"


@app.command()
def studio(
    context: typer.Context,
    *,
    host: Annotated[str, typer.Option(metavar="ADDRESS", help="Where to listen.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="If it is taken, the next free one.")] = 8760,
    workers: Annotated[int, typer.Option(min=1, max=16, help="How many for each lane.")] = 1,
    no_browser: Annotated[bool, typer.Option("--no-browser", help="Only print the address.")] = False,
    name: Annotated[
        list[str] | None,
        typer.Option(metavar="HOST", help="Another name by which it may be called.", rich_help_panel=OTHERS),
    ] = None,
    certificate: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Certificate for TLS.", rich_help_panel=OTHERS)
    ] = None,
    key: Annotated[Path | None, typer.Option(metavar="FILE", help="Its key.", rich_help_panel=OTHERS)] = None,
    behind_proxy: Annotated[
        bool, typer.Option("--behind-proxy", help="A proxy in front of it speaks TLS.", rich_help_panel=OTHERS)
    ] = False,
) -> None:
    """Open the studio in the browser, with the workers that it needs. Ctrl-C stops all of it; nothing is lost.

    Example: `sfumato studio --port 8800`
    """
    from sfumato.web.serve import Place, check_disk, check_place
    from sfumato.web.studio import run_studio

    place = Place(host, port, certificate, key, behind_proxy)
    check_place(place)
    err = console(stderr=True)
    with opened(context) as workspace:
        if workspace.db.is_sqlite:
            check_disk(workspace.path)
        run_studio(
            workspace, place, names=tuple(name or ()), workers=workers, browser=not no_browser,
            say=lambda text: err.print(text, markup=False, soft_wrap=True),
        )  # fmt: skip
    if not asked(context).json:
        err.print("The studio has stopped. What was running goes on at the next start.", markup=False)
