"""Pictures are read, looked at and kept by threads ahead of whoever writes rows, in the order of their source."""

import os
import queue
import threading
from collections import deque
from collections.abc import Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType

from PIL import Image

from sfumato.actions import Workspace
from sfumato.data.drawing import Drawer
from sfumato.data.found import Found, Handed, Later, Left
from sfumato.data.intake import Taken, look_at
from sfumato.errors import Gone

THREADS = 16  # most of them wait for the disk
AHEAD = 128  # pictures, and
AHEAD_BYTES = 64_000_000  # bytes, that are on their way at once


class Drawers:
    """A drawing process for each thread that draws at the time, ended with the `with`."""

    def __init__(self) -> None:
        self.idle: queue.LifoQueue[Drawer] = queue.LifoQueue()

    def __enter__(self) -> "Drawers":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trail: TracebackType | None
    ) -> None:
        while not self.idle.empty():
            self.idle.get().__exit__(kind, problem, trail)

    def draw(self, svg: str, size: int) -> Image.Image:
        """Draw as `Drawer.draw` does."""
        try:
            drawer = self.idle.get_nowait()
        except queue.Empty:
            drawer = Drawer()
        try:
            return drawer.draw(svg, size)
        finally:
            self.idle.put(drawer)


class Intake:
    """What is done with each picture before its row may be written: its bytes are on the disk when it is Taken."""

    def __init__(self, workspace: Workspace, drawers: Drawers) -> None:
        self.store, self.max_pixels, self.draw = workspace.store, workspace.settings.max_pixels, drawers.draw
        self.looking = threading.Semaphore(min(4, os.cpu_count() or 1))  # decoding takes memory and a core

    def take(self, handed: Handed) -> Taken | Left:
        """Read, look at and keep one picture."""
        found = handed.fetch() if isinstance(handed, Later) else handed
        if isinstance(found, Left):
            return found
        with self.looking:
            seen = look_at(found, self.max_pixels, draw=self.draw)
        if isinstance(seen, Left):
            return seen
        try:
            self.store.put(found.data)
        except Gone:
            erasure = self.store.erased(seen.row["sha256"])
            return Left(found.key, "erased", f"the same picture was {erasure}", found.source)
        return seen


def taken_in_order(
    things: Iterable[Handed], intake: Intake
) -> Generator[tuple[str, Taken | Left], None, None]:
    """Yield the key of each thing and what became of it, in the order of the source, with work going on ahead."""
    waiting: deque[tuple[str, int, Future[Taken | Left]]] = deque()
    held = 0
    pool = ThreadPoolExecutor(THREADS, thread_name_prefix="intake")
    try:
        for thing in things:
            size = len(thing.data) if isinstance(thing, Found) else thing.size if isinstance(thing, Later) else 0
            while waiting and (len(waiting) >= AHEAD or held + size > AHEAD_BYTES):
                key, freed, done = waiting.popleft()
                held -= freed
                yield key, done.result()
            held += size
            waiting.append((thing.key, size, pool.submit(intake.take, thing)))
        while waiting:
            key, _, done = waiting.popleft()
            yield key, done.result()
    finally:
        pool.shutdown(cancel_futures=True)
