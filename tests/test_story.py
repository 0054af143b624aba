"""The whole story at the command line: pictures with an origin become a model, a sentence a picture to be traced."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from sfumato.cli import entry

ROOT = Path(__file__).parents[1]
TINY = {"--samples": 1_600, "--batch": 8, "--size": 16, "--depth": 1, "--width": 64,
        "--checkpoint-every": 200, "--preview-every": 1_600, "--held-out": 4}  # fmt: skip
PATIENCE = 240.0


@pytest.fixture
def say(tmp_path, monkeypatch, capsys):
    """Say a command in a workspace of one's own; returns what it prints, and checks how it ends."""
    monkeypatch.setenv("SFUMATO_WORKSPACE", str(tmp_path / "studio"))
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    monkeypatch.chdir(tmp_path)

    def run(*arguments: object, ends: int = 0) -> str:
        code = entry.main([str(one) for one in arguments])
        said = capsys.readouterr()
        assert code == ends, said.out + said.err
        return said.out if "--json" in arguments else " ".join(said.out.split())

    return run


def train_and_kill(studio: Path, *options: object) -> str:
    """Train by the command, and kill -9 the process that trains in the middle; returns what the command says."""
    command = [sys.executable, "-m", "sfumato", "train", "flow", *(str(one) for one in options)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as asked:
        end = time.monotonic() + PATIENCE
        while not list(studio.glob("runs/*/state-*.safetensors")):
            assert asked.poll() is None, asked.communicate()[0]
            assert time.monotonic() < end, (studio / "logs/worker.log").read_text()[-2_000:]
            time.sleep(0.01)
        below = psutil.Process(asked.pid).children(recursive=True)
        (trains,) = [one for one in below if "sfumato.jobs.child" in one.cmdline()] or [None]
        assert trains is not None, "it was too fast to be killed"
        os.kill(trains.pid, signal.SIGKILL)
        said, _ = asked.communicate(timeout=PATIENCE)
        assert asked.returncode == 0, said
    return said


@pytest.mark.whole
@pytest.mark.timeout(600)
def test_from_a_folder_of_pictures_to_a_picture_whose_use_is_answered(say, tmp_path):
    studio = tmp_path / "studio"
    assert "333 pictures" in say("data", "collect", "sample", "--into", "sample")
    assert "Froze sample@" in say("data", "freeze", "sample")

    options = ["--data", "sample", "--name", "story", *(part for pair in TINY.items() for part in pair)]
    assert "Trained story on 1,600 pictures." in train_and_kill(studio, *options)
    run = json.loads(say("train", "show", "story", "--json"))
    job = json.loads(say("jobs", "show", run["job_id"], "--json"))
    assert (run["status"], run["samples_seen"], job["attempt"]) == ("done", 1_600, 2)

    measured = json.loads(say("evaluate", "story", "--per-group", 4, "--json"))
    assert measured["groups"]["train"]["n"] == 4

    drawn = json.loads(say("create", "a red apple, noto style", "-n", 2, "--seed", 7, "--steps", 2, "--model", "story",
                           "--out", tmp_path / "apples", "--json"))  # fmt: skip
    first, second = (Path(one["path"]) for one in drawn["pictures"])
    assert "valid, signed here, unedited since" in say("verify", first)

    traced = say("trace", first)
    for words in (
        'asked by: "a red apple, noto style"', "seed 7", "run story · recipe flow", "1,600 pictures seen",
        "learnt from: version", "dataset sample", "It leaned on the training picture", "a copy would be below",
        "May I use it?", "signed here, unedited", "not yet looked at by a person", "This is no legal advice.",
    ):  # fmt: skip
        assert words in traced
    assert re.search(r"all \d+ training pictures are Apache-2.0 or MIT|No, use the original", traced)
    again = re.search(r"Ten more in another style: (sfumato create '.+ style' -n 10 .*--model story)", traced)
    assert again

    data = bytearray(second.read_bytes())
    data[data.index(b"IDAT") + 40] ^= 1
    second.write_bytes(data)
    assert "invalid" in say("verify", second, ends=12)
    assert "changed after signing" in say("trace", second, ends=12)
