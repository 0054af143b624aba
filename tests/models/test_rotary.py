"""Rotary positions turn pairs of channels, whatever the order in which scale and angle are put together."""

import torch

from sfumato.models.architectures.patch_transformer import HEAD, rotary_angles, rotate


def turned_one_by_one(x, scale, angles):
    """Each pair of channels by the matrix of its angle, after its scale."""
    out = torch.empty_like(x)
    for place in range(x.shape[-2]):
        for pair in range(HEAD // 2):
            one, other = x[..., place, pair] * scale[pair], x[..., place, pair + HEAD // 2] * scale[pair + HEAD // 2]
            cosine, sine = angles[place, pair].cos(), angles[place, pair].sin()
            out[..., place, pair] = one * cosine - other * sine
            out[..., place, pair + HEAD // 2] = other * cosine + one * sine
    return out


def test_pairs_of_channels_are_scaled_and_turned_by_their_angle():
    torch.manual_seed(0)
    angles, x, scale = rotary_angles(2), torch.randn(2, 3, 4, HEAD), torch.rand(HEAD) + 0.5
    assert torch.allclose(rotate(x, scale, angles.cos(), angles.sin()), turned_one_by_one(x, scale, angles), atol=1e-5)


def test_what_is_turned_keeps_its_number_format():
    angles, scale = rotary_angles(2), torch.ones(HEAD)
    x = torch.randn(1, 1, 4, HEAD).bfloat16()
    assert rotate(x, scale, angles.cos(), angles.sin()).dtype == torch.bfloat16
