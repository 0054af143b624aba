"""Every run says where it comes from: commit and changes, versions, the machine, and what it took."""

import subprocess

import pytest

from sfumato.compliance.trace import trace
from sfumato.training import runs
from sfumato.training.provenance import Meter, code_of, environment


def git(folder, *words):
    known = ("-c", "user.name=Ann", "-c", "user.email=ann@example.org")
    subprocess.run(["git", *known, "-C", str(folder), *words], check=True, capture_output=True)


@pytest.fixture
def repository(tmp_path):
    """A repository with one commit and a change since, below a folder that git does not track."""
    folder = tmp_path / "mine"
    folder.mkdir()
    git(folder, "init", "-q")
    (folder / "loop.py").write_text("lr = 1\n")
    git(folder, "add", ".")
    git(folder, "commit", "-qm", "first")
    return folder


def test_a_clean_repository_gives_its_commit_and_no_difference(repository, workspace):
    found = code_of(repository, workspace.store)
    assert len(found["commit"]) == 40
    assert (found["repository"], found["dirty"], found["untracked"]) == ("mine", False, 0)
    assert "diff" not in found


def test_what_differs_is_kept_by_its_hash_and_what_git_does_not_track_is_counted(repository, workspace):
    (repository / "loop.py").write_text("lr = 2\n")
    (repository / "notes.txt").write_text("secret")
    found = code_of(repository, workspace.store)
    kept = workspace.store.get(found["diff"], check=True).decode()
    assert "+lr = 2" in kept
    assert "secret" not in kept
    assert (found["dirty"], found["untracked"], found["diff_whole"]) == (True, 1, True)


def test_no_program_that_a_repository_names_is_run(repository, workspace, tmp_path):
    trap = tmp_path / "trap.sh"
    trap.write_text(f"#!/bin/sh\ntouch {tmp_path}/sprung\n")
    trap.chmod(0o755)
    (repository / ".gitattributes").write_text("*.py diff=trap\n")
    for key in ("core.fsmonitor", "diff.external", "diff.trap.command", "diff.trap.textconv"):
        git(repository, "config", key, str(trap))
    (repository / "loop.py").write_text("lr = 3\n")
    assert code_of(repository, workspace.store)["dirty"]
    assert not (tmp_path / "sprung").exists()


def test_outside_of_a_repository_nothing_is_said(tmp_path, workspace):
    assert code_of(tmp_path, workspace.store) == {}


def test_energy_is_measured_where_the_processor_counts_it_and_estimated_elsewhere(tmp_path):
    package = tmp_path / "intel-rapl:0"
    package.mkdir()
    (package / "max_energy_range_uj").write_text("10000000\n")
    (package / "energy_uj").write_text("9000000\n")
    meter = Meter(counters=tmp_path)
    (package / "energy_uj").write_text("2600000\n")  # it began anew: 3.6 joules
    assert meter.read()["energy_wh"] == pytest.approx(0.001)
    assert "measured" in meter.read()["energy_from"]
    plain = Meter({"cpu_seconds": 3600.0, "wall_seconds": 1.0, "energy_wh": 10.0}, counters=tmp_path / "none")
    assert plain.read()["energy_wh"] == pytest.approx(10.0, abs=0.1)
    assert "estimated at 10 W" in plain.read()["energy_from"]


def test_a_run_keeps_it_and_the_trace_tells_it(studio, tiny, work_off, repository):
    job = runs.train(
        studio, recipe_name="flow", data="drawn", name="from-code", options=tiny | {"samples": 8}, where=repository
    )
    assert work_off(studio, job).status == "done"
    run = runs.show_run(studio, name="from-code")
    known = run.details["provenance"]
    assert known["code"] == code_of(repository, studio.store)
    assert known["environment"]["packages"]["torch"].startswith("2.")
    assert known["environment"]["threads"] == run.machine["threads"]
    assert known["took"]["cpu_seconds"] > 0
    assert known["took"]["energy_wh"] > 0
    facts = trace(studio, f"run/{run.id}", files=False).chain.facts
    assert facts["code"] == f"mine at {known['code']['commit'][:12]}"
    assert "Wh" in facts["energy"]


def test_the_environment_names_what_computes():
    found = environment()
    assert {"numpy", "torch"} <= set(found["packages"])
    assert found["cores"] >= 1
