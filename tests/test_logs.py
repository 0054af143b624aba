"""The log: lines that a program can read, found by an error's id, and never anybody's secret."""

import json
import logging
import subprocess
import sys

import pytest

from sfumato import logs


def lines(log: logs.Log) -> list[dict]:
    return [json.loads(line) for line in log.path.read_text().splitlines()]


def test_a_line_says_when_what_and_whose_request_it_is(tmp_path):
    log = logs.Log(tmp_path, "web")
    with logs.about(request="r1", person="person/7"):
        log.write("page.shown", path="/pictures", milliseconds=12)
    log.write("started")
    shown, started = lines(log)
    assert shown["time"].endswith("+00:00")
    assert {
        "level": "info",
        "event": "page.shown",
        "request": "r1",
        "person": "person/7",
        "milliseconds": 12,
    }.items() <= (shown.items())
    assert "request" not in started


def test_the_id_that_a_person_is_shown_finds_the_line(tmp_path):
    log = logs.Log(tmp_path, "web")
    try:
        raise KeyError("no such colour")
    except KeyError as problem:
        found = log.failure("page.failed", problem, path="/x")
    log.write("more", error="other123")
    told = logs.read_lines(tmp_path, error=found)
    assert [line["kind"] for line in told] == ["KeyError"]
    assert "no such colour" in told[0]["traceback"]
    assert told[0]["log"] == "web.log"


SECRETS = [
    "the token sfm_AbC-123_x was used", "Authorization: Bearer abcdef.ghi", "postgresql://anna:hunter2@host/db",
    "GET /?launch=q8w7e6r5 HTTP/1.1", "password=hunter2 and more", '{"new_password": "hunter2"}',
    "Cookie: sfumato=q8w7e6r5; other=hunter2",
]  # fmt: skip


@pytest.mark.parametrize("text", SECRETS)
def test_no_secret_is_written_wherever_it_stands(tmp_path, text):
    log = logs.Log(tmp_path, "web")
    log.write(text, detail={"deep": [text]}, password="hunter2", token="sfm_AbC-123_x")
    python = logging.getLogger("sfumato.tests.secrets")
    handler = logs.Handler(log)
    python.addHandler(handler)
    python.warning("said %s", text)
    python.removeHandler(handler)
    written = log.path.read_text()
    assert "said" in written
    for secret in ("AbC-123", "abcdef.ghi", "hunter2", "q8w7e6r5"):
        assert secret not in written


def test_a_full_file_steps_back_and_the_oldest_goes(tmp_path):
    log = logs.Log(tmp_path, "web", largest=2_000, kept=2)
    for number in range(200):
        log.write("step", number=number)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["web.1.log", "web.2.log", "web.log"]
    assert all(path.stat().st_size <= 2_000 for path in tmp_path.iterdir())
    kept = [line["number"] for line in logs.read_lines(tmp_path)]
    assert kept == list(range(kept[0], 200))


WRITER = """
import sys
from pathlib import Path
from sfumato import logs
log = logs.Log(Path(sys.argv[1]), "web", largest=20_000, kept=50)
for number in range(500):
    log.write("step", who=sys.argv[2], number=number)
"""


def test_lines_of_two_processes_neither_mix_nor_get_lost_when_the_file_steps_back(tmp_path):
    both = [subprocess.Popen([sys.executable, "-c", WRITER, str(tmp_path), who]) for who in "ab"]
    assert [one.wait(timeout=60) for one in both] == [0, 0]
    seen = sorted((line["who"], line["number"]) for line in logs.read_lines(tmp_path))
    assert seen == [(who, number) for who in "ab" for number in range(500)]


def test_a_log_that_cannot_be_written_does_not_fail_its_caller(tmp_path):
    (tmp_path / "logs").write_text("a file is in the way")
    logs.Log(tmp_path / "logs", "web").write("nothing happens")
