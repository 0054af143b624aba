"""Pictures with transparency are laid on white before they are looked at."""

import numpy as np

from sfumato.features.encoders.efficientnet_lite0 import on_white


def test_clear_is_white_half_is_mixed_and_what_a_network_draws_above_its_alpha_never_turns_black():
    pictures = np.array([[[[0, 0, 0, 0], [100, 0, 0, 128], [200, 210, 220, 255], [255, 255, 250, 240]]]], np.uint8)
    assert on_white(pictures)[0, 0].tolist() == [[255, 255, 255], [227, 127, 127], [200, 210, 220], [255, 255, 255]]
