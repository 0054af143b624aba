"""Pictures are read, looked at and kept by threads ahead of whoever writes rows, in the order of their source."""

import os
import queue
import threading
from collections import deque
from collections.abc import Generator, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType

from PIL import Image

from sfumato.actions import Workspace
from sfumato.data.drawing import Drawer
from sfumato.data.found import Found, Handed, Later, Left
from sfumato.data.intake import Taken, look_at
from sfumato.errors import Gone
from sfumato.store.files import Staged

THREADS = 4  # some of them wait for the disk
TOGETHER = 8  # pictures that a thread takes at a time, unless they have more than
TOGETHER_BYTES = 1_000_000
AHEAD = 512  # pictures, and
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
    """What is done with each picture before its row may be written; `settle` has then put its bytes on the disk.

    What was not settled by the end of the `with` is thrown away.
    """

    def __init__(self, workspace: Workspace, drawers: Drawers) -> None:
        self.store, self.max_pixels, self.draw = workspace.store, workspace.settings.max_pixels, drawers.draw
        self.looking = threading.Semaphore(min(4, os.cpu_count() or 1))  # decoding takes memory and a core
        self.staged: deque[Staged] = deque()

    def __enter__(self) -> "Intake":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trail: TracebackType | None
    ) -> None:
        for one in self.staged:
            one.discard()

    def take(self, handed: Handed) -> Taken | Left:
        """Read, look at and stage one picture."""
        found = handed.fetch() if isinstance(handed, Later) else handed
        if isinstance(found, Left):
            return found
        with self.looking:
            seen = look_at(found, self.max_pixels, draw=self.draw)
        if isinstance(seen, Left):
            return seen
        try:
            staged = self.store.stage(found.data, seen.row["sha256"])
        except Gone:
            erasure = self.store.erased(seen.row["sha256"])
            return Left(found.key, "erased", f"the same picture was {erasure}", found.source)
        if staged is not None:
            self.staged.append(staged)
        return seen

    def settle(self) -> None:
        """Put all that was staged by now on the disk for good."""
        some = [self.staged[place] for place in range(len(self.staged))]
        self.store.settle(some)
        for _ in some:
            self.staged.popleft()


def taken_in_order(things: Iterable[Handed], intake: Intake) -> Generator[tuple[str, Taken | Left], None, None]:
    """Yield the key of each thing and what became of it, in the order of the source, with work going on ahead."""
    waiting: deque[tuple[list[Handed], int, Future[list[Taken | Left]]]] = deque()
    held = ahead = 0
    pool = ThreadPoolExecutor(THREADS, thread_name_prefix="intake")

    def ready() -> Iterator[tuple[str, Taken | Left]]:
        nonlocal held, ahead
        group, size, done = waiting.popleft()
        taken = done.result()
        held, ahead = held - size, ahead - len(group)
        for thing, one in zip(group, taken, strict=True):
            yield thing.key, one

    try:
        for group, size in _grouped(things):
            while waiting and (ahead + len(group) > AHEAD or held + size > AHEAD_BYTES):
                yield from ready()
            held, ahead = held + size, ahead + len(group)
            waiting.append((group, size, pool.submit(lambda some: [intake.take(one) for one in some], group)))
        while waiting:
            yield from ready()
    finally:
        pool.shutdown(cancel_futures=True)


def _grouped(things: Iterable[Handed]) -> Iterator[tuple[list[Handed], int]]:
    """A few small things, or one that is large, for a thread to take at a time, and their bytes as far as is known."""
    group: list[Handed] = []
    held = 0
    for thing in things:
        group.append(thing)
        held += len(thing.data) if isinstance(thing, Found) else thing.size if isinstance(thing, Later) else 0
        if len(group) >= TOGETHER or held > TOGETHER_BYTES:
            yield group, held
            group, held = [], 0
    if group:
        yield group, held
