"""A fresh workspace for a test, on SQLite or on a real PostgreSQL server that is started once per session."""

import ctypes
import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import hypothesis
import pytest

from sfumato.actions import Workspace
from sfumato.people import passwords
from sfumato.settings import Settings

# How fast examples are made says something of the machine, and nothing of what is tested.
hypothesis.settings.register_profile(
    "any machine", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("any machine")

ROOT = Path(__file__).parents[1]
GROUND = ("db", "actions", "jobs")  # rooms whose tests always run on both databases
MEMORY = Path("/dev/shm")  # a folder in memory, where there is one


@pytest.fixture
def settings(tmp_path, monkeypatch) -> Settings:
    """Settings of a workspace of one's own; other processes that a test starts find the code, and nothing else."""
    for name in [name for name in os.environ if name.startswith("SFUMATO_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("SFUMATO_WORKSPACE", str(tmp_path / "workspace"))
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    return Settings(workspace=tmp_path / "workspace", busy_milliseconds=5_000)


@pytest.fixture(autouse=True, scope="session")
def quick_hashes() -> Iterator[int]:
    """Hash passwords by the same function with little memory: the tests make hundreds. Gives what it really takes."""
    before = passwords.MEMORY_KIB
    passwords.MEMORY_KIB = 64
    passwords.hasher.cache_clear()
    yield before
    passwords.MEMORY_KIB = before


@pytest.fixture
def true_hashes(quick_hashes, monkeypatch) -> Iterator[None]:
    """Hash passwords as it is really done."""
    monkeypatch.setattr(passwords, "MEMORY_KIB", quick_hashes)
    passwords.hasher.cache_clear()
    yield
    passwords.hasher.cache_clear()


@pytest.fixture(scope="session")
def empty(tmp_path_factory) -> Path:
    """The database of an empty workspace, with all its steps done once: each test begins with a copy of it."""
    folder = tmp_path_factory.mktemp("empty")
    Workspace.open(settings=Settings(workspace=folder, database_url=None)).close()
    return folder / "workspace.db"


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--on postgresql`: tests that ask for a workspace get one there; those that need SQLite's file are left out."""
    parser.addoption("--on", choices=("sqlite", "postgresql"), default="sqlite", help="the database of a workspace")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out on PostgreSQL what is about SQLite's file alone; each such test says what it needs the file for.

    On SQLite, the second turn of a test on PostgreSQL is slow, but for the rooms that all others stand on.
    """
    if config.getoption("--on") == "sqlite":
        for item in items:
            second = item.get_closest_marker("postgres") and "either" in getattr(item, "fixturenames", ())
            if second and item.path.parent.name not in GROUND:
                item.add_marker(pytest.mark.slow)
        return
    left_out = [item for item in items if item.get_closest_marker("sqlite")]
    for item in left_out:
        marker = item.get_closest_marker("sqlite")
        assert marker is not None
        assert marker.args, f"{item.nodeid}: say why"
    config.hook.pytest_deselected(items=left_out)
    items[:] = [item for item in items if item not in set(left_out)]


@pytest.fixture(scope="session")
def place(request) -> Callable[[Path], Settings]:
    """Return what gives the settings of a fresh workspace in a folder, on the database that `--on` names."""

    def settle(folder: Path) -> Settings:
        url = None
        if request.config.getoption("--on") == "postgresql":
            server, template = (request.getfixturevalue(f"postgresql_{name}") for name in ("server", "empty"))
            url = new_database(server, template)
        return Settings(workspace=folder, busy_milliseconds=5_000, database_url=url)

    return settle


@pytest.fixture
def workspace(request, settings) -> Iterator[Workspace]:
    """A fresh workspace, on SQLite unless `--on postgresql` says otherwise."""
    yield from request.getfixturevalue(f"on_{request.config.getoption('--on')}")


@pytest.fixture
def on_sqlite(settings, empty) -> Iterator[Workspace]:
    """Opens a fresh workspace on SQLite."""

    def opened() -> Iterator[Workspace]:
        settings.workspace.mkdir(exist_ok=True)
        shutil.copyfile(empty, settings.workspace / "workspace.db")
        with Workspace.open(settings=settings) as workspace:
            yield workspace

    return opened()


@pytest.fixture
def on_postgresql(settings, monkeypatch, postgresql_server, postgresql_empty) -> Iterator[Workspace]:
    """Opens a fresh workspace on PostgreSQL; processes that a test starts find it by the environment."""
    url = new_database(postgresql_server, postgresql_empty)
    monkeypatch.setenv("SFUMATO_DATABASE_URL", url)

    def opened() -> Iterator[Workspace]:
        with Workspace.open(settings=settings, database_url=url) as workspace:
            yield workspace

    return opened()


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def either(request, settings) -> Iterator[Workspace]:
    """A fresh workspace on SQLite, then one on PostgreSQL."""
    if request.param == request.config.getoption("--on"):
        yield request.getfixturevalue("workspace")
        return
    yield from request.getfixturevalue(f"on_{request.param}")


@pytest.fixture
def postgresql_url(postgresql_server) -> str:
    """The address of a fresh, empty database."""
    return new_database(postgresql_server)


@pytest.fixture(scope="session")
def postgresql_empty(postgresql_server, tmp_path_factory) -> str:
    """The name of a database of an empty workspace, of which copies are made."""
    url = new_database(postgresql_server)
    Workspace.open(settings=Settings(workspace=tmp_path_factory.mktemp("empty"), database_url=url)).close()
    return url.partition("?")[0].rpartition("/")[2]


def new_database(server: Path, template: str = "template1") -> str:
    """Make a database, and return its address."""
    import psycopg

    name = f"test_{uuid.uuid4().hex[:12]}"
    with psycopg.connect(host=str(server), user="postgres", dbname="postgres", autocommit=True) as connection:
        connection.execute(f"create database {name} template {template}")
    return f"postgresql://postgres@/{name}?host={server}"


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[Path]:
    """The folder of the Unix socket of a PostgreSQL server that listens nowhere else and ends with the session."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: float(path.parts[-3]))
    initdb = str(found[-1]) if found else shutil.which("initdb")
    if initdb is None:
        pytest.skip("the program initdb is missing: install PostgreSQL's server (Debian: apt-get install postgresql)")
    folder = Path(tempfile.mkdtemp(prefix="sfumato-pg-", dir=MEMORY if os.access(MEMORY, os.W_OK) else None))
    user = None
    if os.getuid() == 0:  # the server refuses to be run by root
        names = {entry.pw_name for entry in pwd.getpwall()}
        user = "postgres" if "postgres" in names else "nobody"
        shutil.chown(folder, user)
    server = None
    try:
        made = subprocess.run(
            [initdb, "-D", folder / "data", "-U", "postgres", "--auth=trust", "--encoding=UTF8", "--no-sync"],
            user=user, cwd=folder, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert made.returncode == 0, made.stderr
        server = start_server(Path(initdb).resolve().with_name("postgres"), folder, user)
        yield folder
    finally:
        if server is not None:
            server.send_signal(signal.SIGQUIT)  # its immediate shutdown: nothing is kept
            server.wait(timeout=30)
        shutil.rmtree(folder, ignore_errors=True)


def start_server(program: Path, folder: Path, user: str | None) -> subprocess.Popen[bytes]:
    """Start the server as a child that also ends when this process is killed, and wait until it answers."""
    import psycopg

    fast = ["fsync=off", "synchronous_commit=off", "full_page_writes=off", "max_connections=40", "shared_buffers=16MB"]
    options = [word for setting in fast for word in ("-c", setting)]
    with (folder / "log").open("wb") as log:
        server = subprocess.Popen(
            [program, "-D", folder / "data", "-k", folder, "-h", "", *options],
            user=user, cwd=folder, stdout=log, stderr=log, preexec_fn=end_with_parent,
        )  # fmt: skip
    until = time.monotonic() + 60
    while True:
        try:
            psycopg.connect(host=str(folder), user="postgres", dbname="postgres").close()
            return server
        except psycopg.OperationalError:
            assert server.poll() is None, (folder / "log").read_text()
            assert time.monotonic() < until, "the server does not answer"
            time.sleep(0.05)


def end_with_parent() -> None:
    """Ask Linux to send SIGQUIT, the server's immediate shutdown, when the parent dies."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, signal.SIGQUIT)  # PR_SET_PDEATHSIG
