"""What the benchmarks make of measured times. Nothing here is timed."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

BENCH = Path(__file__).parents[1] / "bench"
sys.path.insert(0, str(BENCH))

import measure  # noqa: E402
import turns  # noqa: E402


def test_a_quantile_lies_between_its_neighbours():
    assert measure.quantile([3.0, 1.0, 2.0], 0.5) == 2.0
    assert measure.quantile([1.0, 2.0], 0.95) == pytest.approx(1.95)
    assert measure.quantile([7.0], 0.95) == 7.0


def test_the_ratio_is_of_medians_so_that_one_slow_step_says_nothing():
    assert measure.ratio_of_medians([2.0, 2.0, 90.0], [1.0, 1.0, 1.0]) == 2.0
    low, high = measure.ratio_interval([2.0, 2.2, 1.8, 2.1, 1.9], [1.0, 1.1, 0.9, 1.0, 1.0])
    assert low < 2.0 < high
    assert measure.ratio_interval([2.0, 2.2], [1.0, 1.1]) == measure.ratio_interval([2.0, 2.2], [1.0, 1.1])


def test_a_verdict_is_given_on_a_quiet_machine_and_refused_on_a_busy_one():
    assert measure.verdict(2.6, 2.5, 0.1)[0] is True
    assert measure.verdict(2.4, 2.5, 0.1)[0] is False
    assert measure.verdict(0.9, 1.0, 0.25, at_least=False)[0] is True
    given, reason = measure.verdict(9.0, 2.5, 0.26)
    assert given is None
    assert "0.26 cores" in reason
    assert measure.verdict(None, 2.5, 0.0)[0] is None


def test_what_others_take_is_all_that_is_busy_less_our_own_and_our_children():
    assert measure.others_cores(busy=12.0, own=10.0, wall=10.0) == pytest.approx(0.2)
    assert measure.others_cores(busy=9.9, own=10.0, wall=10.0) == 0.0
    before = measure.own_seconds()
    subprocess.run([sys.executable, "-c", "sum(i for i in range(3_000_000))"], check=True)
    assert measure.own_seconds() > before, "an ended child's time is ours too"


def test_figures_of_a_full_run_are_null_once_the_code_has_changed(tmp_path):
    (tmp_path / "loop.py").write_text("one")
    code = measure.code_hash(["*.py"], tmp_path)
    full = {"code": code, "counts": True, "commit": "abc", "date": "today", "machine": {}, "breakdown": {"bf16": 2}}
    measure.keep("training", full, tmp_path)
    quick = measure.with_kept({"code": code}, "training", ["breakdown"], tmp_path)
    assert quick["breakdown"] == {"bf16": 2}
    assert quick["long_figures_from"]["commit"] == "abc"
    (tmp_path / "loop.py").write_text("two")
    changed = measure.code_hash(["*.py"], tmp_path)
    assert changed != code
    stale = measure.with_kept({"code": changed}, "training", ["breakdown"], tmp_path)
    assert stale["breakdown"] is None
    assert stale["long_figures_from"] is None


def test_a_run_that_did_not_count_is_never_quoted(tmp_path):
    measure.keep("training", {"code": "c", "counts": False}, tmp_path)
    assert measure.kept("training", "c", tmp_path) is None
    assert measure.stamped("training", "c", 0.1, anyway=True)["counts"] is False
    assert measure.stamped("training", "c", 0.3, anyway=False)["counts"] is False
    assert measure.stamped("training", "c", 0.1, anyway=False)["counts"] is True


def test_code_that_is_no_longer_there_cannot_be_measured(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"gone\.py"):
        measure.code_hash(["gone.py"], tmp_path)


def test_settings_count_as_code(tmp_path):
    (tmp_path / "loop.py").write_text("one")
    assert measure.code_hash(["*.py"], tmp_path, {"a": "1"}) != measure.code_hash(["*.py"], tmp_path, {"a": "2"})


def test_a_refusal_has_all_keys_and_no_figure(capsys):
    measure.refuse({"bench": "training"}, ["speedup_over_plain"], "too busy")
    said = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert said["speedup_over_plain"] is None
    assert said["verdict"] is None
    assert said["reason"] == "too busy"
    assert said["counts"] is False


def test_a_script_writes_its_own_section_only(tmp_path):
    page = tmp_path / "RESULTS.md"
    page.write_text((BENCH / "RESULTS.md").read_text(encoding="utf-8"), encoding="utf-8")
    before = page.read_text(encoding="utf-8")
    measure.write_section("create", "| new |", page)
    after = page.read_text(encoding="utf-8")
    assert "| new |" in after.split("<!-- create:")[1]
    assert after.split("<!-- create:")[0] == before.split("<!-- create:")[0]
    measure.write_section("create", "| newer |", page)
    assert "| new |" not in page.read_text(encoding="utf-8")


def test_players_work_by_turns_and_the_first_turn_is_not_counted():
    told = (
        "import sys; sys.path.insert(0, sys.argv[1]); import turns; done = []\n"
        "turns.serve({'who': sys.argv[2]}, lambda asked: done.append(1) or print('noise') or [float(len(done))])"
    )
    names = ("a", "b")
    players = [turns.Player(name, [sys.executable, "-c", told, str(BENCH), name], {}) for name in names]
    try:
        heard = turns.by_turns(players, 3, times=1)
        assert [player.about["who"] for player in players] == ["a", "b"]
    finally:
        for player in players:
            player.close()
    for name in names:
        assert [turn["seconds"] for turn in heard[name]] == [[2.0], [3.0], [4.0]]
        assert {"wall", "cpu", "faults"} <= heard[name][0].keys()


def test_a_player_that_fails_says_so():
    player = turns.Player("broken", [sys.executable, "-c", "raise SystemExit(3)"], {})
    with pytest.raises(RuntimeError, match="broken ended with 3"):
        _ = player.about
    player.close()


def test_a_piece_is_repeated_often_and_long_enough():
    done = []
    assert len(turns.repeat(lambda: done.append(1), {"times": 3})) == 3
    assert sum(turns.repeat(lambda: done.append(1), {"at_least": 0.001})) >= 0.001


@pytest.mark.parametrize("script", ["training", "create", "curation"])
def test_scripts_say_how_they_are_used(script):
    ran = subprocess.run([sys.executable, BENCH / f"{script}.py", "--help"], capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr
    assert "--quick" in ran.stdout
