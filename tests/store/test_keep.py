"""Files are kept by their content, whole or not at all, and a changed one is noticed."""

import errno
import hashlib
import os
import signal
import subprocess
import sys
import time

import pytest

from sfumato.errors import Damaged, Gone, NoSpace, NotFound
from sfumato.store import Store
from sfumato.store.files import Erasure, draft, write_whole


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path / "store")


def left_over(store):
    return [path.name for path in (store.root / "incoming").iterdir()]


def test_bytes_are_found_again_by_their_hash(store):
    name = store.put(b"a picture")
    assert name == hashlib.sha256(b"a picture").hexdigest()
    assert store.has(name)
    assert store.get(name) == b"a picture"
    assert store.path(name).parent.name == name[:2]
    assert left_over(store) == []


def test_keeping_the_same_again_changes_nothing(store, tmp_path):
    name = store.put(b"a picture")
    before = store.path(name).stat()
    (tmp_path / "file").write_bytes(b"a picture")
    assert store.put(b"a picture") == store.put_file(tmp_path / "file") == name
    after = store.path(name).stat()
    assert (before.st_ino, before.st_mtime_ns) == (after.st_ino, after.st_mtime_ns)
    assert left_over(store) == []


def test_a_large_file_is_kept_without_being_read_at_once(store, tmp_path):
    source = tmp_path / "large"
    source.write_bytes(os.urandom(1 << 20) * 3 + b"end")
    name = store.put_file(source)
    assert store.get(name, check=True) == source.read_bytes()
    assert source.exists()


def test_what_is_not_there_and_what_was_changed_are_told(store):
    with pytest.raises(NotFound):
        store.get("0" * 64)
    with pytest.raises(FileNotFoundError):
        store.put_file(store.root / "nothing")
    name = store.put(b"a picture")
    store.path(name).write_bytes(b"a Picture")
    assert store.get(name) == b"a Picture"
    with pytest.raises(Damaged):
        store.get(name, check=True)
    assert left_over(store) == []


def test_without_room_nothing_is_half_written(store, tmp_path):
    code = f"""
import resource
from pathlib import Path
from sfumato.errors import NoSpace
from sfumato.store import Store
store = Store(Path({str(store.root)!r}))
source = Path({str(tmp_path / "source")!r})
source.write_bytes(b"x" * 100_000)
resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, 50_000))
staged = lambda: store.stage(b"x" * 100_000, "0" * 64)
for keep in (lambda: store.put(b"x" * 100_000), lambda: store.put_file(source), staged):
    try:
        keep()
    except NoSpace as problem:
        print(problem.message)
print(store.put(b"small") == {hashlib.sha256(b"small").hexdigest()!r})
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout == "The disk is full; nothing was kept.\n" * 3 + "True\n", done.stderr
    assert left_over(store) == []
    assert [path.name for path in store.root.glob("??/*")] == [hashlib.sha256(b"small").hexdigest()]


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="this operating system has no /dev/full")
def test_a_full_disk_is_told_by_the_systems_own_word(tmp_path):
    with pytest.raises(NoSpace) as told, draft(tmp_path), open("/dev/full", "wb", buffering=0) as full:
        full.write(b"x")
    assert told.value.__cause__.errno == errno.ENOSPC
    assert list(tmp_path.iterdir()) == []


def test_after_kill_9_in_the_middle_nothing_has_the_name_and_the_draft_is_swept_a_day_later(store):
    code = f"""
import os, signal
from pathlib import Path
from sfumato.store.files import draft
with draft(Path({str(store.root / "incoming")!r})) as stream:
    stream.write(b"half")
    stream.flush()
    os.kill(os.getpid(), signal.SIGKILL)
"""
    assert subprocess.run([sys.executable, "-c", code]).returncode == -signal.SIGKILL
    [left] = left_over(store)
    assert list(store.root.glob("??/*")) == []
    assert store.sweep() == 0
    old = time.time() - 90_000
    os.utime(store.root / "incoming" / left, (old, old))
    assert store.sweep() == 1
    assert left_over(store) == []


def test_a_secret_is_never_readable_by_others(tmp_path):
    write_whole(tmp_path / "key", b"secret", mode=0o600)
    assert (tmp_path / "key").stat().st_mode & 0o777 == 0o600
    write_whole(tmp_path / "picture", b"open")
    assert (tmp_path / "picture").stat().st_mode & 0o777 == 0o644


def test_writing_over_a_file_leaves_the_old_one_or_the_new(tmp_path):
    target = tmp_path / "deep" / "file"
    write_whole(target, b"old")
    write_whole(target, b"new")
    assert target.read_bytes() == b"new"
    assert [path.name for path in target.parent.iterdir()] == ["file"]


def staged_under(store, *contents):
    return [store.stage(data, hashlib.sha256(data).hexdigest()) for data in contents]


@pytest.mark.parametrize("at_once", [True, False])
def test_what_is_staged_is_there_when_it_is_settled_and_not_before(store, monkeypatch, at_once):
    if not at_once:
        monkeypatch.setattr("sfumato.store.files._syncfs", lambda: None)
    one, other = staged_under(store, b"a picture", b"another")
    assert not store.has(one.sha256)
    assert len(left_over(store)) == 2
    store.settle([one, other])
    assert (store.get(one.sha256, check=True), store.get(other.sha256, check=True)) == (b"a picture", b"another")
    assert left_over(store) == []
    assert store.stage(b"a picture", one.sha256) is None


def test_the_same_bytes_staged_twice_are_kept_once_and_what_is_discarded_is_gone(store):
    one, again, other = staged_under(store, b"a picture", b"a picture", b"another")
    other.discard()
    store.settle([one, again])
    assert store.get(one.sha256) == b"a picture"
    assert left_over(store) == []
    assert not store.has(other.sha256)


def test_what_was_erased_cannot_be_staged(store):
    name = store.put(b"a picture")
    store.erase(Erasure(name, "somebody asked", "person/one", "2026-01-01"))
    with pytest.raises(Gone, match="somebody asked"):
        store.stage(b"a picture", name)
    assert left_over(store) == []


def test_a_process_that_is_killed_before_it_settles_keeps_nothing(store):
    script = f"""
import hashlib, os, signal
from pathlib import Path
from sfumato.store import Store
store = Store(Path({str(store.root)!r}))
store.stage(b"a picture", hashlib.sha256(b"a picture").hexdigest())
os.kill(os.getpid(), signal.SIGKILL)
"""
    assert subprocess.run([sys.executable, "-c", script]).returncode == -9
    assert not store.has(hashlib.sha256(b"a picture").hexdigest())
    assert len(left_over(store)) == 1  # for `sweep` to remove
