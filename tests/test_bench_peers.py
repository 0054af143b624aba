"""How training is held against its peers. Nothing here is timed."""

import argparse
import json
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F

BENCH = Path(__file__).parents[1] / "bench"
sys.path.insert(0, str(BENCH))

import equal_time  # noqa: E402
import training  # noqa: E402
import untold  # noqa: E402
from style import frechet as with_all_dimensions  # noqa: E402
from train_plain_gan import PlainGan, nothing  # noqa: E402

from sfumato.training.recipes import r3gan  # noqa: E402

SMALL = {"size": 16, "patch": 4, "width": 64, "depth": 1}


def turn(cpu, seconds):
    return {"cpu": cpu, "seconds": seconds}


def test_the_frechet_distance_is_that_of_the_two_covariances():
    random = np.random.default_rng(0)
    one, other = random.standard_normal((40, 5)), 1.5 * random.standard_normal((60, 5)) + 0.3
    assert equal_time.frechet(one, other) == pytest.approx(with_all_dimensions(one, other), rel=1e-9)
    assert equal_time.frechet(one, one) == pytest.approx(0, abs=1e-9)
    assert equal_time.frechet(one, one + 2) == pytest.approx(5 * 4)


def test_it_needs_no_more_pictures_than_there_are_features():
    random = np.random.default_rng(0)
    one = random.standard_normal((6, 50))
    assert equal_time.frechet(one, one) == pytest.approx(0, abs=1e-9)
    assert equal_time.frechet(one, random.standard_normal((9, 50))) > 1


def test_each_peer_is_held_against_the_run_of_ours_that_does_the_same():
    heard = {name: [turn(1.0, [0.5, 0.5])] for name in ("ours", "ours_adamw", "ours_gan")}
    heard |= {peer: [turn(4.0, [1.0, 1.0])] for peer in training.AGAINST}
    heard["ours_gan"] = [turn(8.0, [0.5, 0.5])]
    found = training.against(heard)
    assert found["diffusers"]["times_faster"] == 4.0
    assert found["diffusers"]["by_the_clock"] == 2.0
    assert found["plain_gan"]["times_faster"] == 0.5, "processor time counts, whatever the clock says"
    alone = training.against({"ours": heard["ours"], "plain": heard["plain"]})
    assert alone == {"plain": found["plain"]}, "a quick run hears the plain loop alone"


def test_a_figure_that_is_missing_is_no_success_and_one_that_misses_is_a_failure():
    result = {"speedup_over_plain": 3.0, "speedup_over_best_peer": 1.1, "others_cores": 0.0}
    assert training.judged(result | {"fd_ours_over_best_peer_equal_time": 0.8})[0] is True
    unsaid, why = training.judged(result | {"fd_ours_over_best_peer_equal_time": None})
    assert unsaid is None
    assert "fd_ours_over_best_peer_equal_time" in why
    good, why = training.judged(result | {"fd_ours_over_best_peer_equal_time": 1.2})
    assert good is False
    assert "1.2" in why


def test_our_worst_seed_stands_against_the_best_of_any_peer(tmp_path):
    random = np.random.default_rng(0)
    for side in equal_time.SIDES:
        for seed in equal_time.SEEDS:
            drawn = {name: random.integers(0, 255, (2, 8, 8, 4), np.uint8) for name in ("live", "average")}
            np.savez(tmp_path / f"{side}-{seed}.npz", **drawn)
            (tmp_path / f"{side}-{seed}.json").write_text(json.dumps({"steps": 3, "parameters": 10}))
    real = random.standard_normal((equal_time.DRAWN + 2, 1280)).astype(np.float32)
    found = equal_time.result(tmp_path, real)
    far = {side: [leg["frechet"] for leg in legs] for side, legs in found["legs"].items()}
    best = min(min(some) for side, some in far.items() if side != "ours")
    assert found["fd_ours_over_best_peer_equal_time"] == pytest.approx(max(far["ours"]) / best, abs=1e-3)
    for leg in found["legs"]["plain"]:
        assert leg["frechet"] == min(leg["by"].values())
    assert "diffusers" in equal_time.table(found)


def test_a_leg_learns_for_its_seconds_draws_and_says_what_it_took(tmp_path):
    class Side:
        left = 5

        def step(self) -> None:
            if not self.left:
                raise StopIteration
            self.left -= 1

        def draw(self, count: int) -> dict[str, np.ndarray]:
            return {"live": np.zeros((count, 4, 4, 4), np.uint8)}

    given = argparse.Namespace(seconds=60.0, draw=3, out=tmp_path / "ours-0")
    untold.play(Side(), {"batch": 2}, given, began=untold.time.process_time())
    said = json.loads((tmp_path / "ours-0.json").read_text())
    assert said["steps"] == 5
    assert said["batch"] == 2
    with np.load(tmp_path / "ours-0.npz") as held:
        assert held["live"].shape == (3, 4, 4, 4)


def test_peers_see_our_network_with_nothing_said():
    torch.manual_seed(0)
    whole = untold.Untold(SMALL)
    for weight in whole.parameters():
        torch.nn.init.normal_(weight, std=0.1)  # it draws nothing at first
    x, moments = torch.randn(3, 4, 16, 16), torch.tensor([0, 500, 999])
    words = torch.randn(3, 5, 384)
    said = whole.net(x, 1 - moments / 1000, words, torch.zeros(3, 5), torch.randn_like(x), torch.zeros(3))
    assert torch.allclose(whole(x, moments), said, atol=1e-4), "words that are not there change nothing"
    assert not torch.allclose(whole(x, moments), whole(x, moments.flip(0)), atol=1e-2)


def test_the_plain_gans_losses_are_the_recipes(tmp_path):
    options = r3gan.Options(size=8, width=16, most=16, latent=4, words="none", batch=3, augment=0.0)
    plain = PlainGan(options, tmp_path)
    x, z = torch.rand(3, 4, 8, 8) * 2 - 1, torch.randn(3, 4)
    with torch.no_grad():
        drawn = plain.drawer(z, *nothing(3))
    (of_real, steep_real), (of_drawn, steep_drawn) = plain.slope(x), plain.slope(drawn)
    given = {"x": x, "z": z, "words": nothing(3)[0], "words_on": nothing(3)[1], "share": torch.zeros(3),
             "change": torch.rand(3, 10), "change_drawn": torch.rand(3, 10),
             "gamma": torch.full((3,), options.gamma)}  # fmt: skip
    ours = r3gan.judged(plain.pair, given)
    theirs = F.softplus(of_drawn - of_real) + options.gamma / 2 * (steep_real + steep_drawn)
    assert torch.allclose(ours, theirs, rtol=1e-4)
    assert float(ours.detach().mean()) > 0.1
