"""Muon by shapes moves the weights as torch's own does, and either goes on from the other's state."""

import torch

from sfumato.models.muon import GroupedMuon

SHAPES = ((24, 8), (8, 8), (8, 24), (24, 8), (8, 8))


def weights() -> list[torch.Tensor]:
    torch.manual_seed(0)
    return [torch.randn(shape).requires_grad_() for shape in SHAPES]


def walk(optimizer, own, steps, start=0):
    for step in range(start, start + steps):
        torch.manual_seed(step)
        for weight in own:
            weight.grad = torch.randn_like(weight)
        optimizer.step()


def differ(ours, theirs) -> float:
    return max(float((one - other).detach().abs().max()) for one, other in zip(ours, theirs, strict=True))


def test_the_weights_move_as_by_torchs_own():
    for options in ({"adjust_lr_fn": "match_rms_adamw", "weight_decay": 0.0}, {"weight_decay": 0.1}):
        ours, theirs = weights(), weights()
        walk(GroupedMuon(ours, 1e-2, **options), ours, 5)
        walk(torch.optim.Muon(theirs, 1e-2, **options), theirs, 5)
        assert differ(ours, weights()) > 1e-3
        assert differ(ours, theirs) < 1e-4


def test_the_iteration_in_float32_is_the_same_within_bfloat16s_rounding():
    ours, theirs = weights(), weights()
    exact = GroupedMuon(ours, 1e-2)
    exact.precision = torch.float32
    walk(exact, ours, 5)
    walk(torch.optim.Muon(theirs, 1e-2), theirs, 5)
    assert 1e-6 < differ(ours, theirs) < 1e-3
    assert all(weight.dtype == torch.float32 for weight in ours)


def test_a_state_kept_by_torchs_own_is_gone_on_with():
    ours, theirs = weights(), weights()
    before, torchs = torch.optim.Muon(ours, 1e-2), torch.optim.Muon(theirs, 1e-2)
    walk(before, ours, 3)
    walk(torchs, theirs, 6)
    after = GroupedMuon(ours, 1e-2)
    after.load_state_dict(before.state_dict())
    walk(after, ours, 3, start=3)
    assert differ(ours, theirs) < 1e-4


def test_a_matrix_without_a_gradient_stays():
    own = weights()
    optimizer = GroupedMuon(own, 1e-2)
    for weight in own[1:]:
        weight.grad = torch.ones_like(weight)
    optimizer.step()
    assert differ(own[:1], weights()[:1]) == 0
    assert differ(own[1:2], weights()[1:2]) > 0
