"""Drawing SVGs that nobody has looked at yet in a process apart, which may hang, crash or eat memory without harm.

python -m sfumato.data.drawing serves one `Drawer`: it reads SVGs from its input and writes PNGs to its output.
"""

import contextlib
import io
import math
import struct
import subprocess
import sys
import threading
import time
from types import TracebackType
from typing import BinaryIO

from PIL import Image

from sfumato.data.pictures import Unusable, as_png, check_svg, draw_svg

SECONDS = 10.0  # of a processor, for one picture; icons take milliseconds
PATIENCE = 6  # times as long by the clock, on a machine that is busy with other things
MEGABYTES = 1_536  # of address space for the process that draws
ASKED, TOLD = struct.Struct(">IHf"), struct.Struct(">?I")  # length, side, seconds; whether it went well, and length


class Drawer:
    """Draws one SVG after the other as `draw_svg` does, gives up what takes too long, and ends with its `with`."""

    def __init__(self, *, seconds: float = SECONDS) -> None:
        self.seconds = seconds
        self.process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> "Drawer":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trail: TracebackType | None
    ) -> None:
        self._end()

    def draw(self, svg: str, size: int) -> Image.Image:
        """Draw with alpha at `size`; raises Unusable for one that is unsafe, broken, or too much work."""
        check_svg(svg)
        if self.process is None:
            command = [sys.executable, "-m", "sfumato.data.drawing"]
            self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        process = self.process
        late = threading.Timer(self.seconds * PATIENCE, process.kill)
        late.start()
        try:
            well, told = _ask(process, svg.encode(), size, self.seconds)
        except (OSError, struct.error) as problem:  # it has crashed or was killed
            self._end()
            raise Unusable(
                "too complex", f"it could not be drawn within {self.seconds:.0f} s of a processor"
            ) from problem
        finally:
            late.cancel()
        if not well:
            reason, _, detail = told.decode().partition(": ")
            raise Unusable(reason, detail)
        return Image.open(io.BytesIO(told)).convert("RGBA")

    def _end(self) -> None:
        if self.process is not None:
            self.process.kill()
            with contextlib.suppress(OSError):
                self.process.communicate()
            self.process = None


def _ask(process: subprocess.Popen[bytes], svg: bytes, size: int, seconds: float) -> tuple[bool, bytes]:
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(ASKED.pack(len(svg), size, seconds) + svg)
    process.stdin.flush()
    well, length = TOLD.unpack(process.stdout.read(TOLD.size))
    told = process.stdout.read(length)
    if len(told) != length:
        raise struct.error("cut short")
    return well, told


def serve(asked: BinaryIO, told: BinaryIO) -> None:
    """Draw what is asked for until there is nothing more."""
    while head := asked.read(ASKED.size):
        length, size, seconds = ASKED.unpack(head)
        limit_time(seconds)
        try:
            well, data = True, as_png(draw_svg(asked.read(length).decode(), size))
        except Unusable as problem:
            well, data = False, f"{problem.reason}: {problem.detail}".encode()
        told.write(TOLD.pack(well, len(data)) + data)
        told.flush()


def limit_time(seconds: float) -> None:
    """End this process once it has taken so many more seconds of a processor, where the system can see to that."""
    with contextlib.suppress(ImportError, OSError, ValueError):
        import resource

        _, most = resource.getrlimit(resource.RLIMIT_CPU)
        resource.setrlimit(resource.RLIMIT_CPU, (math.ceil(time.process_time() + seconds), most))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def limit_memory() -> None:
    """Let this process ask the system for no more than its share, where the system can see to that."""
    with contextlib.suppress(ImportError, OSError, ValueError):
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (MEGABYTES << 20, MEGABYTES << 20))


if __name__ == "__main__":
    limit_memory()
    serve(sys.stdin.buffer, sys.stdout.buffer)
