"""How quick the studio's pages are for people who have signed in, from one server process, over loopback.

    python bench/web.py [--quick] [--anyway] [--write]

The studio is started as anybody starts it, on a workspace with real pictures and a dataset of 100,000 rows. The
client is a process of its own, with connections that it keeps. Nothing is cached by it unless the figure says so.
"""

import asyncio
import re
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import measure
import psutil
from knocking import Heard, Streams, ask, request
from measure import OUT, ROOT, quantile, say
from web_workspace import DATASET, make_workspace

sys.path.insert(0, str(ROOT))
CODE = (
    "sfumato/web/*.py", "sfumato/web/pages/*.py", "sfumato/web/api/*.py", "sfumato/web/templates/**/*.html",
    "sfumato/db/*.py", "sfumato/actions/*.py", "sfumato/people/*.py", "sfumato/generation/gallery.py",
    "sfumato/data/items.py", "sfumato/logs.py", "bench/web.py", "bench/web_workspace.py", "bench/knocking.py",
)  # fmt: skip
TARGETS = {
    "gallery_rps": (500.0, True), "not_modified_rps": (1500.0, True), "gallery_p99_ms": (50.0, False),
    "page_slowdown_200_streams": (0.2, False), "server_rss_mb": (200.0, False), "grid_100k_ms": (30.0, False),
}  # fmt: skip
GALLERY = "/pictures"
CLIENTS = 32
STREAMS = 200
RATE = 500.0  # pages a second that the clients ask for together while the slowest are looked at


class Studio:
    """`sfumato studio` on a workspace, signed in to."""

    def __init__(self, workspace: Path) -> None:
        command = [sys.executable, "-m", "sfumato", "studio", "--no-browser", "--port", "0"]
        command += ["--workspace", str(workspace)]
        self.process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, cwd=ROOT)
        address = self._address()
        self.port = int(address.group(1))
        self.host = f"127.0.0.1:{self.port}"
        self.cookie = asyncio.run(self._sign_in(address.group(2)))

    def _address(self) -> re.Match[str]:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            if found := re.search(r"http://127\.0\.0\.1:(\d+)(/launch/\S+)", line):
                return found
        raise RuntimeError(f"The studio ended with {self.process.wait()} before it was open.")

    async def _sign_in(self, launch: str) -> str:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        writer.write(request(launch, self.host, "", "Connection: close"))
        answer = (await reader.read()).decode("latin-1")
        writer.close()
        found = re.search(r"set-cookie: ([^;]+);", answer, re.IGNORECASE)
        if not found:
            raise RuntimeError(f"The studio did not let us in: {answer[:400]}")
        return found.group(1)

    def asked(self, path: str, *more: str) -> bytes:
        """A request for this studio, with the session's cookie."""
        return request(path, self.host, self.cookie, *more)

    def page(self, path: str) -> tuple[bytes, bytes]:
        """Head and body of one page."""

        async def get() -> bytes:
            reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
            writer.write(self.asked(path, "Connection: close"))
            return await reader.read()

        head, _, body = asyncio.run(get()).partition(b"\r\n\r\n")
        return head, body

    def resident_mb(self) -> float:
        """Memory of the server process alone, in MB of 10^6 bytes."""
        return psutil.Process(self.process.pid).memory_info().rss / 1e6

    def __enter__(self) -> "Studio":
        return self

    def __exit__(self, *trouble: object) -> None:
        self.process.terminate()
        self.process.wait(60)


def check(heard: Heard, status: int) -> Heard:
    """Raise when answers were not what is measured."""
    if set(heard.statuses) != {status}:
        raise RuntimeError(f"Answers were {heard.statuses}, not all {status}: {heard.head.decode('latin-1')}")
    return heard


def gallery(studio: Studio, rounds: int, seconds: float) -> dict[str, Any]:
    """The page of 48 pictures: answers a second and the slowest hundredth, then the same unchanged."""
    head, body = studio.page(GALLERY)
    tiles = len(re.findall(rb'class="tile[" ]', body))
    tag = re.search(rb"\r\netag: (\S+)", head, re.IGNORECASE)
    if tiles != 48 or tag is None:
        raise RuntimeError(f"The gallery has {tiles} tiles and {'a' if tag else 'no'} tag: {head.decode('latin-1')}")
    fresh, same = studio.asked(GALLERY), studio.asked(GALLERY, f"If-None-Match: {tag.group(1).decode()}")

    def run(asked: bytes, status: int) -> Heard:
        return check(asyncio.run(ask(studio.port, [asked], clients=CLIENTS, seconds=seconds)), status)

    run(fresh, 200)  # once to warm up
    whole = [run(fresh, 200) for _ in range(rounds)]
    unchanged = [run(same, 304) for _ in range(rounds)]
    paced = asyncio.run(ask(studio.port, [fresh], clients=CLIENTS, seconds=rounds * seconds, rate=RATE))
    took = check(paced, 200).seconds
    return {
        "gallery_rps": round(statistics.median(heard.per_second for heard in whole), 1),
        "gallery_rounds": [round(heard.per_second, 1) for heard in whole],
        "gallery_p50_ms": round(1e3 * statistics.median(took), 2), "gallery_paced_rps": round(paced.per_second, 1),
        "gallery_p99_ms": round(1e3 * quantile(took, 0.99), 2),
        "not_modified_rps": round(statistics.median(heard.per_second for heard in unchanged), 1),
        "gallery_bytes": len(body),
    }


def with_streams(studio: Studio, rounds: int, seconds: float) -> dict[str, Any]:
    """How much slower the page is for one person while 200 others listen, turn and turn about."""
    asked = [studio.asked(GALLERY)]
    alone: list[float] = []
    beside: list[float] = []

    async def turn(kept: list[float]) -> None:
        kept += check(await ask(studio.port, asked, clients=1, seconds=seconds), 200).seconds

    listening = studio.asked("/api/v1/events", "Accept: text/event-stream")

    async def both() -> int:
        await turn(alone)
        async with Streams(studio.port, listening, STREAMS) as streams:
            await asyncio.sleep(0.5)
            await turn(beside)
            return streams.bytes_heard

    heard = [asyncio.run(both()) for _ in range(rounds)]
    slower = statistics.median(beside) / statistics.median(alone) - 1
    return {
        "page_slowdown_200_streams": round(slower, 3), "streams_heard_bytes": sum(heard),
        "page_alone_ms": round(1e3 * statistics.median(alone), 2),
        "page_with_streams_ms": round(1e3 * statistics.median(beside), 2),
    }  # fmt: skip


def grid(studio: Studio, requests: int) -> dict[str, Any]:
    """Walk a dataset of 100,000 pictures from its beginning, 60 tiles a request, and tell how long each took."""
    path, took = f"/data/{DATASET}/items", []
    while path and len(took) < requests:
        start = time.perf_counter()
        head, body = studio.page(path)
        took.append(time.perf_counter() - start)
        tiles = len(re.findall(rb'class="tile[" ]', body))
        if b" 200 " not in head.split(b"\r\n")[0] or tiles != 60:
            raise RuntimeError(f"{path} has {tiles} tiles: {head.decode('latin-1')}")
        older = re.search(rb'href="([^"]+)"[^>]*rel="next"|rel="next"[^>]*href="([^"]+)"', body)
        path = (older.group(1) or older.group(2)).decode().replace("&amp;", "&") if older else ""
    return {
        "grid_100k_ms": round(1e3 * statistics.median(took), 2),
        "grid_100k_p95_ms": round(1e3 * quantile(took, 0.95), 2), "grid_requests": len(took),
    }  # fmt: skip


def for_people(result: dict[str, Any]) -> str:
    """The result as a page says it."""
    rows = [["", "measured", "target"]]
    words = {
        "gallery_rps": "48 pictures, uncached, pages a second",
        "not_modified_rps": "the same page unchanged (304), answers a second",
        "gallery_p99_ms": f"slowest hundredth, {CLIENTS} clients at {RATE:.0f} pages a second, ms",
        "page_slowdown_200_streams": f"slower with {STREAMS} live streams, share",
        "server_rss_mb": "memory of the server after all this, MB",
        "grid_100k_ms": "60 of 100,000 pictures, ms a request",
    }
    for key, (target, at_least) in TARGETS.items():
        rows.append([words[key], f"{result[key]:g}", f"{'at least' if at_least else 'at most'} {target:g}"])
    return "\n".join([measure.origin(result), "", measure.table(rows), "", f"Verdict: {result['reason']}."])


def main() -> int:
    """Measure, judge, say it to people, and end with one line of JSON."""
    given = measure.arguments(__doc__.splitlines()[0]).parse_args()
    code = measure.code_hash(CODE)
    others = measure.wait_for_quiet(given.wait)
    begun = measure.stamped("web", code, others, anyway=given.anyway) | {"quick": given.quick}
    if others > measure.QUIET and not given.anyway:
        return measure.refuse(begun, TARGETS, f"other processes take {others:.2f} cores")
    workspace = make_workspace(OUT / "web", say)
    rounds, seconds = (3, 2.0) if given.quick else (7, 4.0)
    with Studio(workspace) as studio:
        watch = measure.Others()
        parts: list[Callable[[], dict[str, Any]]] = [
            lambda: gallery(studio, rounds, seconds), lambda: with_streams(studio, rounds, seconds),
            lambda: grid(studio, 60 if given.quick else 400),
        ]  # fmt: skip
        found: dict[str, Any] = {}
        for part in parts:
            found |= part()
        found["server_rss_mb"] = round(studio.resident_mb(), 1)
        others = watch.cores()
    result = begun | measure.stamped("web", code, others, anyway=given.anyway) | found
    judged = {
        key: measure.verdict(result[key], target, others, at_least=good) for key, (target, good) in TARGETS.items()
    }
    missed = [f"{key} is {why}" for key, (good, why) in judged.items() if good is False]
    unsaid = [why for good, why in judged.values() if good is None]
    result["verdict"] = None if unsaid else not missed
    result["reason"] = unsaid[0] if unsaid else "; ".join(missed) or "every figure meets its target"
    if given.write and result["counts"]:
        measure.keep("web", result)
        measure.write_section("web", for_people(result))
    return measure.finish(result, for_people(result))


if __name__ == "__main__":
    sys.exit(main())
