"""Two programs that do the same work by turns, each in a process and an environment of its own.

The player's side uses the standard library alone, so that a peer's environment needs nothing of ours.
"""

import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any


class Player:
    """A child process that waits until it is its turn, and says what the turn took."""

    def __init__(self, name: str, command: list[str], environment: Mapping[str, str]) -> None:
        self.name = name
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=dict(environment), text=True
        )
        self._about: dict[str, Any] = {}

    @property
    def about(self) -> dict[str, Any]:
        """What it says of itself once it has loaded; waits for that."""
        self._about = self._about or self._hear()
        return self._about

    def turn(self, **asked: Any) -> dict[str, Any]:
        """Let it work, and wait until it has; the others have no turn meanwhile and take no time."""
        assert self.about
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(asked) + "\n")
        self._process.stdin.flush()
        return self._hear()

    def _hear(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"{self.name} ended with {self._process.wait()}; what it said stands above.")
        said: dict[str, Any] = json.loads(line)
        return said

    def __enter__(self) -> "Player":
        return self

    def close(self) -> None:
        """Let it end, and see to it that it does."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        try:
            self._process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def serve(about: dict[str, Any], turn: Callable[[dict[str, Any]], list[float]]) -> None:
    """The player's side: say what it is, then do a turn for each line; `turn` returns the seconds of each piece."""
    out = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # whatever else prints does not mix with the answers
    print(json.dumps(about), file=out, flush=True)
    for line in sys.stdin:
        before, start = resource.getrusage(resource.RUSAGE_SELF), time.perf_counter()
        seconds = turn(json.loads(line))
        wall, after = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_SELF)
        said = {
            "seconds": seconds, "wall": wall,
            "cpu": after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime,
            "system": after.ru_stime - before.ru_stime, "faults": after.ru_minflt - before.ru_minflt,
        }  # fmt: skip
        print(json.dumps(said), file=out, flush=True)


def repeat(piece: Callable[[], object], asked: dict[str, Any]) -> list[float]:
    """Do a piece of work `times` times, or for `at_least` seconds; returns the seconds of each."""
    seconds: list[float] = []
    while len(seconds) < asked.get("times", 1) or sum(seconds) < asked.get("at_least", 0.0):
        start = time.perf_counter()
        piece()
        seconds.append(time.perf_counter() - start)
    return seconds


def by_turns(players: list[Player], rounds: int, **asked: Any) -> dict[str, list[dict[str, Any]]]:
    """ABAB: every player once a round, after one turn each to warm up that is not counted."""
    heard: dict[str, list[dict[str, Any]]] = {player.name: [] for player in players}
    for number in range(rounds + 1):
        for player in players:
            said = player.turn(**(asked if number else {"times": 1, **{k: asked[k] for k in asked if k == "n"}}))
            if number:
                heard[player.name].append(said)
    return heard


def python_command(script: str, *arguments: str, python: str = sys.executable) -> list[str]:
    """How a script beside this one is started."""
    return [python, str(Path(__file__).parent / script), *arguments]
