"""The recipe `flow` with each of its networks: trained, exported, and loaded to draw."""

import numpy as np
import pytest

from sfumato.checkpoints.models import find_model
from sfumato.generation.engines import torch_local
from sfumato.training.recipes.flow import ARCHITECTURES, Options, network_options


@pytest.mark.parametrize("architecture", ["dit", "unet", "pixart"])
def test_a_run_of_another_network_draws(studio, trained, architecture):
    assert trained(f"a-{architecture}", architecture=architecture).status == "done"
    model = find_model(studio, f"a-{architecture}")
    assert model.header.architecture == architecture
    loaded = torch_local.load(model.path)
    random = np.random.default_rng(0)
    z, words = random.standard_normal((2, 4, 16, 16), np.float32), random.standard_normal((2, 5, 384), np.float32)
    drawn = loaded(z, 0.5, words, np.ones((2, 5), np.float32), z, np.ones(2, np.float32))
    assert drawn.shape == (2, 4, 16, 16)
    assert np.isfinite(drawn).all()


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_sizes_of_the_networks_are_of_one_order(architecture):
    net = ARCHITECTURES[architecture].build(network_options(Options(architecture=architecture, width=128, depth=2)))
    assert 0.5e6 < sum(weight.numel() for weight in net.parameters()) < 5e6
