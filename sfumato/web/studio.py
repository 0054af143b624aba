"""The whole studio in one process and its workers, from the first line it prints to the last."""

import os
import sys
import threading
import webbrowser
from collections.abc import Callable

from sfumato.actions import Workspace
from sfumato.web.app import create_app
from sfumato.web.first import bring_to_life
from sfumato.web.serve import Place, Workers, give_memory_back, leave_what_stays, listen, serve
from sfumato.web.serving import Serving, new_secret

Say = Callable[[str], None]


def run_studio(
    workspace: Workspace,
    place: Place,
    *,
    names: tuple[str, ...] = (),
    workers: int = 1,
    browser: bool = True,
    say: Say = print,
) -> None:
    """Start workers and server, print the one address, and stay until Ctrl-C or SIGTERM."""
    give_memory_back()
    launch = new_secret()
    own = () if place.host in ("0.0.0.0", "::") else (place.host,)
    serving = Serving((*names, *own), place.encrypted or place.behind_proxy, launch)
    app = create_app(workspace, serving)
    over = threading.Event()
    taken = listen(place, say)
    hands = Workers(workspace, workers)
    try:
        hands.start()
        bring_to_life(workspace, over)
        address = f"{address_of(place, names, int(taken.getsockname()[1]))}/launch/{launch}"

        def ready() -> None:
            say(f"The studio is open at\n  {address}\nThe address lets one browser in. Ctrl-C stops the studio.")
            if browser and has_browser():
                webbrowser.open(address)

        leave_what_stays()
        serve(app, place, taken, ready)
    finally:
        over.set()
        taken.close()
        hands.stop()


def address_of(place: Place, names: tuple[str, ...], port: int) -> str:
    """How a browser reaches the studio."""
    scheme = "https" if place.encrypted or (place.behind_proxy and names) else "http"
    host = names[0] if names else "127.0.0.1" if place.host in ("0.0.0.0", "::") else place.host
    if place.behind_proxy and names:
        return f"{scheme}://{host}"
    return f"{scheme}://[{host}]:{port}" if ":" in host and not host.startswith("[") else f"{scheme}://{host}:{port}"


def has_browser() -> bool:
    """Whether this machine has a screen to open a browser on."""
    if sys.platform in ("darwin", "win32"):
        return True
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
