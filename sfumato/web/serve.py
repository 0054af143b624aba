"""Running the studio: where it may listen, its workers, the server, and ending all of it cleanly."""

import ctypes
import gc
import ipaddress
import logging
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

import uvicorn
from fastapi import FastAPI

from sfumato.actions import Workspace
from sfumato.errors import Conflict, InvalidInput, SfumatoError, Unsupported
from sfumato.jobs.queue import bury, handed_on

PORT = 8760
TRIED = 20  # ports after the one that is taken
LANES = {"quick": 0, "desk": 5, "long": 10}  # and how much they give way to everything else on the machine
SHARES = {"nfs", "nfs4", "cifs", "smb2", "smb3", "smbfs", "fuse.sshfs", "sshfs", "davfs", "fuse.davfs2", "afs"}
M_ARENA_MAX, M_MMAP_THRESHOLD, M_TRIM_THRESHOLD = -8, -3, -1  # of malloc.h
GRACE = 20.0  # seconds that workers have for their present step


@dataclass(frozen=True)
class Place:
    """Where the studio listens."""

    host: str = "127.0.0.1"
    port: int = PORT
    certificate: Path | None = None
    key: Path | None = None
    behind_proxy: bool = False

    @property
    def encrypted(self) -> bool:
        """Whether the studio itself speaks TLS."""
        return self.certificate is not None and self.key is not None

    @property
    def is_loopback(self) -> bool:
        """Whether only this machine can reach it."""
        if self.host == "localhost":
            return True
        try:
            return ipaddress.ip_address(self.host.strip("[]")).is_loopback
        except ValueError:
            return False


def check_place(place: Place) -> None:
    """Refuse to listen to others without TLS, since passwords and pictures would pass in the open."""
    if (place.certificate is None) != (place.key is None):
        raise InvalidInput("TLS needs both --certificate and --key.")
    for path in (place.certificate, place.key):
        if path is not None and not path.is_file():
            raise InvalidInput(f"There is no file {path}.")
    if not place.is_loopback and not place.encrypted and not place.behind_proxy:
        raise InvalidInput(
            f"{place.host} can be reached from other machines, and the studio would not be encrypted.",
            hint="Give --certificate and --key, or --behind-proxy if a proxy in front of it speaks TLS.",
        )


def share_of(path: Path, mounts: str) -> str:
    """The kind of network share that a path lies on, told from the text of /proc/mounts; "" if on none."""
    longest, kind = "", ""
    for line in mounts.splitlines():
        parts = line.split()
        if len(parts) < 3:
            continue
        point = parts[1].replace("\\040", " ")
        inside = point == "/" or str(path) == point or str(path).startswith(f"{point}/")
        if inside and len(point) >= len(longest):
            longest, kind = point, parts[2]
    return kind if kind in SHARES else ""


def check_disk(workspace: Path, mounts: str | None = None) -> None:
    """Refuse a SQLite workspace on a network share, where two machines' locks do not see each other."""
    if mounts is None:
        try:
            mounts = Path("/proc/mounts").read_text(encoding="utf-8", errors="replace")
        except OSError:
            return
    kind = share_of(workspace.resolve(), mounts)
    if kind:
        raise Unsupported(
            f"{workspace} lies on a network share ({kind}), where SQLite loses what it keeps.",
            hint="Put the workspace on a local disk, or use PostgreSQL: --database postgresql://…",
        )


def listen(place: Place, say: Callable[[str], None]) -> socket.socket:
    """Take the port, or the next one that is free; raises Conflict when there is none."""
    family = socket.AF_INET6 if ":" in place.host else socket.AF_INET
    for port in range(place.port, place.port + TRIED) if place.port else [0]:
        taken = socket.socket(family)
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            taken.bind((place.host.strip("[]"), port))
        except OSError as problem:
            taken.close()
            if problem.errno not in (13, 98, 48):
                raise InvalidInput(f"The studio cannot listen at {place.host}: {problem.strerror}.") from problem
            continue
        if place.port and port != place.port:
            say(f"Port {place.port} is taken, so the studio is at {port}.")
        return taken
    raise Conflict(f"No port from {place.port} on is free.", hint="Name another with --port.")


class Workers:
    """One process per lane (or more), started again when one dies, and ended with the studio."""

    def __init__(self, workspace: Workspace, count: int = 1) -> None:
        self.workspace = workspace
        self.wanted = [lane for lane in LANES for _ in range(count)]
        self.running: list[tuple[str, float, subprocess.Popen[bytes]]] = []
        self._over = threading.Event()
        self._watch = threading.Thread(target=self._watch_over, name="workers", daemon=True)

    def start(self) -> None:
        """Start all of them, and watch over them."""
        self.running = [(lane, time.monotonic(), self._begin(lane)) for lane in self.wanted]
        self._watch.start()

    def stop(self) -> None:
        """Let each finish its present step; what it does not finish waits for the next start."""
        self._over.set()
        if self._watch.ident is not None:
            self._watch.join()
        for _, _, process in self.running:
            process.terminate()
        until = time.monotonic() + GRACE
        for _, _, process in self.running:
            try:
                process.wait(max(0.1, until - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
                self._forget(process.pid)

    def _begin(self, lane: str) -> subprocess.Popen[bytes]:
        command = [
            sys.executable, "-m", "sfumato.jobs.worker", "--workspace", str(self.workspace.path), "--lane", lane,
            "--nice", str(LANES[lane]), "--parent", str(os.getpid()),
        ]  # fmt: skip
        with (self.workspace.path / "logs" / "worker.log").open("ab") as log:
            return subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
                env=handed_on(self.workspace),
            )  # fmt: skip

    def _watch_over(self) -> None:
        while not self._over.wait(0.5):
            for place, (lane, since, process) in enumerate(self.running):
                if process.poll() is None or time.monotonic() - since < 3:
                    continue  # one that dies at once is not started again at once
                self._forget(process.pid)
                self.running[place] = (lane, time.monotonic(), self._begin(lane))

    def _forget(self, process: int) -> None:
        with suppress(SfumatoError):
            bury(self.workspace, process)


class Server(uvicorn.Server):
    """The server, which ends streams first, so that nobody has to be waited for."""

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Tell the streams that all ends, then end."""
        hub = self.config.app.state.house.hub  # type: ignore[union-attr]
        threading.Thread(target=hub.stop, daemon=True).start()
        super().handle_exit(sig, frame)


def leave_what_stays() -> None:
    """Have the collector of cycles skip all that is loaded by now, and look at the rest less often.

    Modules, tables and templates stay as long as the server does; going over them took a share of each page, and
    a tenth of a second at once now and then.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)


def give_memory_back() -> None:
    """Let threads share two pools, and what is large go back to the system when it is freed (glibc's mallopt(3)).

    By itself each thread keeps a pool of its own, and with it the most that it ever needed. Other libraries of C
    have no such call, and no such habit.
    """
    with suppress(OSError, AttributeError):
        mallopt = ctypes.CDLL(None).mallopt
        for option, value in ((M_ARENA_MAX, 2), (M_MMAP_THRESHOLD, 131_072), (M_TRIM_THRESHOLD, 131_072)):
            mallopt(option, value)


def serve(app: FastAPI, place: Place, taken: socket.socket, ready: Callable[[], None] | None = None) -> None:
    """Serve until Ctrl-C or SIGTERM; `ready` is called once requests are answered."""
    logging.getLogger("uvicorn.error").setLevel(logging.WARNING)
    config = uvicorn.Config(
        app, log_config=None, access_log=False, server_header=False, proxy_headers=place.behind_proxy,
        timeout_graceful_shutdown=5, timeout_keep_alive=30, lifespan="on", ws="none",
        ssl_certfile=place.certificate, ssl_keyfile=str(place.key) if place.key else None,
    )  # fmt: skip
    server = Server(config)
    if ready is not None:
        threading.Thread(target=_when_ready, args=(server, ready), daemon=True).start()
    before = {number: signal.signal(number, lambda *_: None) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        server.run(sockets=[taken])  # it raises the signal anew once it has ended, which then does nothing
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _when_ready(server: uvicorn.Server, ready: Callable[[], None]) -> None:
    while not server.started and not server.should_exit:
        time.sleep(0.02)
    if server.started:
        ready()
