"""`sfumato create` says what the model knows, draws, shows where the pictures lie, and what to do next."""

import json
import re
import signal
import subprocess
import sys
import time

import pytest

from sfumato.cli import entry
from sfumato.jobs.queue import get_job, list_jobs

SENTENCE = "a red disc, outline style"
QUICK = ["--seed", "7", "--steps", "1", "--guidance", "1"]


def test_it_says_what_it_knows_then_where_the_pictures_are_and_what_next(pictured, tmp_path, capsys):
    assert entry.main(["create", SENTENCE, "-n", "2", "--out", str(tmp_path / "my out"), *QUICK]) == 0
    told = capsys.readouterr()
    assert told.err.splitlines() == [
        "It has seen red (11 pictures) and disc (15 pictures).",
        "In the style outline (Ann, MIT).",
    ]
    lines = told.out.splitlines()
    assert lines[0] == f"'{tmp_path}/my out/a-red-disc-outline-style-7.png'  seed 7"
    assert lines[1].endswith("-8.png'  seed 8")
    assert [line.split("  ")[-1].strip().split(" ")[:2] for line in lines[3:]] == [
        ["sfumato", "trace"], ["sfumato", "verify"], ["sfumato", "create"],
    ]  # fmt: skip
    assert lines[-1].endswith("sfumato create 'red disc, plain style' -n 10")


def test_with_json_it_is_one_document(pictured, tmp_path, capsys):
    assert entry.main(["create", SENTENCE, "-n", "1", "--out", str(tmp_path / "out"), "--json", *QUICK]) == 0
    told = capsys.readouterr()
    made = json.loads(told.out)
    assert told.err == ""
    assert (made["seed"], made["model"]) == (7, "emoji-styles-small")
    assert made["pictures"][0]["path"] == str(tmp_path / "out" / "a-red-disc-outline-style-7.png")
    assert made["pictures"][0]["seed"] == 7
    assert made["said"].startswith("It has seen red")


def test_no_wait_leaves_it_to_a_worker(pictured, tmp_path, capsys):
    assert entry.main(["create", SENTENCE, "-n", "1", "--out", str(tmp_path / "out"), "--no-wait", *QUICK]) == 0
    (job,) = list_jobs(pictured)
    assert job.status == "waiting"
    assert job.id[-6:] in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (["create", ""], 2, "The prompt is empty."),
        (["create", "a" * 10_000], 2, "10,000 characters"),
        (["create", "x", "-n", "0"], 2, "'n' cannot be 0"),
        (["create", "x", "-n", "10000"], 2, "'n' cannot be 10000"),
        (["create", "x", "--model", "emoji-style-smal"], 3, "Did you mean 'emoji-styles-small'?"),
        (["create", "x", "--sampler", "huen"], 3, "Did you mean 'heun'?"),
        (["create", "x", "--background", "blue"], 2, "#ffcc00"),
        (["create", "x", "--upscale", "3"], 2, "'upscale'"),
        (["create", "x", "--out", "/dev/null"], 2, "/dev/null is a file"),
        (["create", "x", "--out", "/proc/nowhere"], 2, "cannot be written"),
        (["create"], 2, "SENTENCE"),
    ],
)
def test_bad_input_is_told_in_words(pictured, capsys, arguments, code, told):
    assert entry.main(arguments) == code
    said = capsys.readouterr()
    assert told in said.err
    assert said.out == ""
    assert list_jobs(pictured) == []


STARTED = "import sys, tests.beside; from sfumato.cli.entry import main; raise SystemExit(main(sys.argv[1:]))"


def test_ctrl_c_in_a_pipe_leaves_it_to_a_worker_that_is_started(pictured, embedded, tmp_path, monkeypatch):
    monkeypatch.setenv("EMBEDDED_OF_TESTS", str(embedded))
    monkeypatch.setenv("SFUMATO_JOB_MODULES", "tests.beside")
    asked = ["create", SENTENCE, "-n", "8", "--steps", "100", "--out", str(tmp_path / "out")]
    command = [sys.executable, "-c", STARTED, *asked]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        deadline = time.monotonic() + 90
        while not any(job.status == "running" for job in list_jobs(pictured)) and time.monotonic() < deadline:
            time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        said = process.communicate(timeout=60)[1]
    assert process.returncode == 130, said
    short = re.search(r"sfumato jobs cancel (\w+)", said)[1]
    job = get_job(pictured, job_id=short)
    assert job.status in ("waiting", "running")
    assert entry.main(["jobs", "cancel", short]) == 0
    deadline = time.monotonic() + 60
    while not (job := get_job(pictured, job_id=short)).ended and time.monotonic() < deadline:
        time.sleep(0.1)
    assert job.status == "cancelled", job.error
