"""A client that asks over connections that it keeps, and is quick enough not to be what is measured."""

import asyncio
import time
from dataclasses import dataclass, field


@dataclass
class Heard:
    """What came back: seconds of each answer, how many of which status, and the last answer's head."""

    seconds: list[float] = field(default_factory=list)
    statuses: dict[int, int] = field(default_factory=dict)
    wall: float = 0.0
    head: bytes = b""

    @property
    def per_second(self) -> float:
        """Answers a second over all connections."""
        return len(self.seconds) / self.wall


def request(path: str, host: str, cookie: str, *more: str) -> bytes:
    """A GET as a browser sends it."""
    lines = [f"GET {path} HTTP/1.1", f"Host: {host}", f"Cookie: {cookie}", "Accept: text/html,*/*", *more]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


async def read_answer(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    """Read one answer to its end; returns its status and head. Knows lengths and chunks, as HTTP/1.1 sends them."""
    head = await reader.readuntil(b"\r\n\r\n")
    status = int(head[9:12])
    lowered = head.lower()
    if b"\r\ncontent-length:" in lowered:
        length = int(lowered.split(b"\r\ncontent-length:")[1].split(b"\r\n")[0])
        if length:
            await reader.readexactly(length)
    elif b"transfer-encoding: chunked" in lowered:
        while size := int((await reader.readuntil(b"\r\n")).strip() or b"0", 16):
            await reader.readexactly(size + 2)
        await reader.readuntil(b"\r\n")
    return status, head


async def _ask_on(port: int, asked: list[bytes], until: float, heard: Heard, offset: int, every: float) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    place = offset
    due = time.perf_counter() + every * (offset % 32) / 32
    while time.perf_counter() < until:
        start = time.perf_counter()
        if every:
            await asyncio.sleep(max(0.0, due - start))
            start, due = due, due + every
        writer.write(asked[place % len(asked)])
        status, heard.head = await read_answer(reader)
        heard.seconds.append(time.perf_counter() - start)
        heard.statuses[status] = heard.statuses.get(status, 0) + 1
        place += 1
    writer.close()


async def ask(port: int, asked: list[bytes], *, clients: int, seconds: float, rate: float = 0.0) -> Heard:
    """Let so many clients ask for so long, each on a connection of its own.

    With a `rate` they ask so often a second all together, and seconds count from when each was due to ask (so that a
    slow answer is not hidden by the client waiting for it); without one, each asks as soon as it is answered.
    """
    heard = Heard()
    start = time.perf_counter()
    every = clients / rate if rate else 0.0
    await asyncio.gather(*(_ask_on(port, asked, start + seconds, heard, client, every) for client in range(clients)))
    heard.wall = time.perf_counter() - start
    return heard


class Streams:
    """Open streams of events, which are read and thrown away."""

    def __init__(self, port: int, asked: bytes, count: int) -> None:
        self.port, self.asked, self.count = port, asked, count
        self.open: list[tuple[asyncio.StreamWriter, asyncio.Task[None]]] = []
        self.bytes_heard = 0

    async def __aenter__(self) -> "Streams":
        for _ in range(self.count):
            reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
            writer.write(self.asked)
            head = await reader.readuntil(b"\r\n\r\n")
            if b" 200 " not in head.split(b"\r\n")[0]:
                raise RuntimeError(f"a stream was refused: {head.decode()}")
            self.open.append((writer, asyncio.create_task(self._listen(reader))))
        return self

    async def _listen(self, reader: asyncio.StreamReader) -> None:
        while data := await reader.read(65_536):
            self.bytes_heard += len(data)

    async def __aexit__(self, *trouble: object) -> None:
        for writer, task in self.open:
            task.cancel()
            writer.close()
