"""The log: one JSON object a line in the workspace's folder `logs`, rotated by size, without anybody's secrets.

Doors and workers write events by name with fields; what goes wrong gets a short id, by which a person who was
shown it finds the line again. Several processes may write to one file.
"""

import contextlib
import fcntl
import io
import json
import logging
import os
import re
import threading
import time
import traceback
from collections.abc import Iterator
from contextvars import ContextVar
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

LARGEST = 5_000_000  # bytes of one file, before it steps back
KEPT = 5  # files that have stepped back
LOOKED_AT = 0.2  # seconds between two looks at how large the file is, and whether it is still the same
LONGEST = 20_000  # characters of one value
SHORT = 100  # characters of what is often said
HIDDEN = "…"
LETTERS = "23456789abcdefghjkmnpqrstuvwxyz"  # none that is mistaken for another when read aloud
SECRET = r"password|passwd|pwd|secret|token|launch|authorization|cookie|csrf|api[_-]?key|session[_-]?id"
SECRET_NAME = re.compile(rf"(?:{SECRET})", re.IGNORECASE)
NOT_SECRET = {"token_id", "token_name", "tokens"}
PATTERNS = (
    (re.compile(r"(?i)\b((?:set-)?cookie|(?:proxy-)?authorization)\s*:[^\n]+"), rf"\1: {HIDDEN}"),
    (re.compile(r"sfm_[A-Za-z0-9_\-]+"), "sfm_" + HIDDEN),
    (re.compile(r"(?i)\b(bearer|basic)\s+[A-Za-z0-9._~+/=\-]{6,}"), rf"\1 {HIDDEN}"),
    (re.compile(r"(://[^/\s:@]*):[^@\s/]+@"), rf"\1:{HIDDEN}@"),
    (re.compile(rf"(?i)\b((?:[a-z]+[_-])?(?:{SECRET}))([\"']?\s*[=:]\s*[\"']?)[^\s\"'&;,)}}\]]+"), rf"\1\2{HIDDEN}"),
)
_context: ContextVar[dict[str, str] | None] = ContextVar("sfumato_log", default=None)


def without_secrets(text: str) -> str:
    """The text with tokens, passwords and launch codes taken out of it."""
    for pattern, instead in PATTERNS:
        text = pattern.sub(instead, text)
    return text


_without_secrets = lru_cache(maxsize=1_024)(without_secrets)  # most of what each request's line says was said before


def new_error_id() -> str:
    """A short id that can be read aloud, by which the line of an error is found."""
    number, letters = int.from_bytes(os.urandom(8), "big"), ""
    for _ in range(8):
        number, place = divmod(number, len(LETTERS))
        letters += LETTERS[place]
    return letters


@contextlib.contextmanager
def about(*, request: str = "", person: str = "") -> Iterator[None]:
    """Say whose request all lines within are about, also those that rooms further down write."""
    told = {name: said for name, said in (("request", request), ("person", person)) if said}
    before = _context.set({**(_context.get() or {}), **told})
    try:
        yield
    finally:
        _context.reset(before)


class Log:
    """The file NAME.log of a folder. It never fails its caller: a line that cannot be written is dropped."""

    def __init__(self, folder: Path, name: str, *, largest: int = LARGEST, kept: int = KEPT) -> None:
        self.path = folder / f"{name}.log"
        self.largest, self.kept = largest, kept
        self._stream: io.FileIO | None = None
        self._looked, self._size = 0.0, 0
        self._lock = threading.Lock()

    def write(self, event: str, *, level: str = "info", **fields: Any) -> None:
        """Append one line: time, level, event, whose request it is, and the fields."""
        moment = datetime.now(UTC).isoformat(timespec="microseconds")
        line = {"time": moment, **_clean({"level": level, "event": event, **(_context.get() or {}), **fields})}
        data = (json.dumps(line, ensure_ascii=False) + "\n").encode("utf-8", "replace")
        with contextlib.suppress(OSError), self._lock:
            self._append(data)

    def failure(self, event: str, problem: BaseException, **fields: Any) -> str:
        """Append what went wrong with where in the code it arose, and return the id that a person is shown."""
        found = new_error_id()
        said = "".join(traceback.format_exception(problem))
        kind = type(problem).__name__
        self.write(event, level="error", error=found, kind=kind, message=str(problem), traceback=said, **fields)
        return found

    def close(self) -> None:
        """Close the file; the next line opens it again."""
        with self._lock:
            if self._stream is not None:
                self._stream.close()
                self._stream = None

    def _append(self, data: bytes) -> None:
        stream = self._open()
        if self._size > 0 and self._size + len(data) > self.largest:
            self._step_back(stream)
            self._looked = 0.0
            stream = self._open()
        stream.write(data)  # one write to a file opened for appending: lines of two processes do not mix
        self._size += len(data)

    def _open(self) -> io.FileIO:
        """The open file, looked at now and then: what another process has let step back is opened again."""
        moment = time.monotonic()
        if self._stream is not None and moment < self._looked + LOOKED_AT:
            return self._stream
        stream = self._open_again()
        self._looked, self._size = moment, os.fstat(stream.fileno()).st_size
        return stream

    def _open_again(self) -> io.FileIO:
        if self._stream is not None:
            with contextlib.suppress(FileNotFoundError):
                if os.stat(self.path).st_ino == os.fstat(self._stream.fileno()).st_ino:
                    return self._stream
            self._stream.close()
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self._stream = io.FileIO(os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600), "a")
        return self._stream

    def _step_back(self, stream: io.FileIO) -> None:
        """NAME.log becomes NAME.1.log and so on; of several processes one does it."""
        fcntl.flock(stream.fileno(), fcntl.LOCK_EX)
        try:
            with contextlib.suppress(FileNotFoundError):
                if os.stat(self.path).st_ino == os.fstat(stream.fileno()).st_ino:
                    self._shift()
        finally:
            fcntl.flock(stream.fileno(), fcntl.LOCK_UN)

    def _shift(self) -> None:
        for number in range(self.kept, 0, -1):
            older = self.path if number == 1 else self._older(number - 1)
            with contextlib.suppress(FileNotFoundError):
                os.replace(older, self._older(number))

    def _older(self, number: int) -> Path:
        return self.path.with_name(f"{self.path.stem}.{number}.log")


class Handler(logging.Handler):
    """Carries what Python's own logging says, of ourselves and of libraries, into a log."""

    def __init__(self, log: Log, level: int = logging.INFO) -> None:
        super().__init__(level)
        self.log = log

    def emit(self, record: logging.LogRecord) -> None:
        """Write the record as a line; `record.fields` are its fields, where there are any."""
        fields = dict(getattr(record, "fields", {}))
        if record.exc_info and record.exc_info[1] is not None:
            fields["traceback"] = "".join(traceback.format_exception(record.exc_info[1]))
        self.log.write(record.getMessage(), level=record.levelname.lower(), logger=record.name, **fields)


class Plain(logging.Formatter):
    """Plain lines for a person, without secrets, tracebacks included."""

    def format(self, record: logging.LogRecord) -> str:
        """The record as text."""
        return without_secrets(super().format(record))


def to_stderr() -> None:
    """Let a process print what it does in plain lines, without secrets."""
    handler = logging.StreamHandler()
    handler.setFormatter(Plain("%(asctime)s %(name)s %(levelname)s %(message)s"))
    logging.basicConfig(level=logging.INFO, handlers=[handler])


def read_lines(folder: Path, *, error: str = "", last: int = 0) -> list[dict[str, Any]]:
    """Lines of all logs of a folder, the oldest first: those of one error id, or the last so many."""
    found = []
    for path in sorted(folder.glob("*.log"), key=lambda path: path.stat().st_mtime_ns):
        with contextlib.suppress(OSError), path.open(encoding="utf-8", errors="replace") as stream:
            for text in stream:
                if not text.startswith("{") or (error and error not in text):
                    continue
                with contextlib.suppress(ValueError):
                    line = json.loads(text)
                    if not error or line.get("error") == error:
                        found.append({"log": path.name, **line})
    found.sort(key=lambda line: str(line.get("time", "")))
    return found[-last:] if last else found


@lru_cache(maxsize=1_024)
def _is_secret(name: str) -> bool:
    """Whether what a field of this name holds is nobody's business."""
    return SECRET_NAME.search(name) is not None and name not in NOT_SECRET


def _clean(value: Any, name: str = "") -> Any:
    """The value as JSON, without secrets, and not longer than it need be."""
    if isinstance(value, bool | int | float) or value is None:
        return value
    if name and _is_secret(name):
        return HIDDEN
    if isinstance(value, dict):
        return {str(key): _clean(one, str(key)) for key, one in value.items()}
    if isinstance(value, list | tuple | set):
        return [_clean(one) for one in value]
    text = str(value)
    if len(text) <= SHORT and text.isalnum():
        return text  # none of the patterns is in a word by itself
    text = _without_secrets(text) if len(text) <= SHORT else without_secrets(text)
    return text if len(text) <= LONGEST else text[: LONGEST // 2] + f" {HIDDEN} " + text[-LONGEST // 2 :]
