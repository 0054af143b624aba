"""The slopes' penalty in four passes gives what differentiating the slope gives."""

import pytest
import torch
import torch.nn.functional as F

from sfumato.models.architectures import r3gan
from sfumato.models.slopes import steep

SAID = 1e-9  # relative, in float64


def judge_of(words, seed=0):
    """A discriminator in float64 whose blocks already do something, and six pictures with words."""
    torch.manual_seed(seed)
    options = r3gan.Options(size=16, width=16, most=32, depth=2, words=words, text_width=8, text_length=3)
    judge = r3gan.Discriminator(options).double()
    for weight in judge.parameters():
        torch.nn.init.normal_(weight, std=0.2)
    seen = torch.randn(6, 4, 16, 16, dtype=torch.float64)
    return judge, seen, (torch.randn(6, 3, 8, dtype=torch.float64), torch.ones(6, 3, dtype=torch.float64))


def balance(scores):
    of_real, of_drawn = scores.chunk(2)
    return F.softplus(of_drawn - of_real)


def plainly(judge, seen, said, gamma):
    """The same by differentiating the slope."""
    x = seen.clone().requires_grad_()
    scores = judge(x, *said)
    (slope,) = torch.autograd.grad(scores.sum(), x, create_graph=True)
    at_real, at_drawn = slope.square().sum((1, 2, 3)).chunk(2)
    return balance(scores) + gamma / 2 * (at_real + at_drawn)


def in_four(judge, seen, said, gamma, weights):
    return steep(judge.look, lambda found: judge.tell(found, *said), seen, balance, gamma, weights)


@pytest.mark.parametrize("words", ["mean", "none"])
def test_losses_and_gradients_are_those_of_differentiating_the_slope(words):
    judge, seen, said = judge_of(words)
    weights, weighed = list(judge.parameters()), torch.tensor([0.2, 1.0, 0.5], dtype=torch.float64)
    gamma = torch.tensor([0.0, 0.5, 3.0], dtype=torch.float64)
    expected, found = plainly(judge, seen, said, gamma), in_four(judge, seen, said, gamma, weights)
    torch.testing.assert_close(found, expected, rtol=SAID, atol=0)
    wanted = torch.autograd.grad((expected * weighed).sum(), weights)
    for one, other in zip(torch.autograd.grad((found * weighed).sum(), weights), wanted, strict=True):
        torch.testing.assert_close(one, other, rtol=SAID, atol=SAID * float(other.abs().max()))


def test_a_layer_that_is_walked_twice_gathers_both_parts():
    torch.manual_seed(0)
    layer = torch.nn.Conv2d(2, 2, 3, padding=1).double()
    weights, gamma = list(layer.parameters()), torch.ones(2, dtype=torch.float64)
    seen = torch.randn(4, 2, 5, 5, dtype=torch.float64)

    def look(x):
        return layer(F.leaky_relu(layer(x), 0.3)).flatten(1)

    found = steep(look, lambda features: features.sum(1), seen, balance, gamma, weights)
    x = seen.clone().requires_grad_()
    scores = look(x).sum(1)
    (slope,) = torch.autograd.grad(scores.sum(), x, create_graph=True)
    penalties = slope.square().sum((1, 2, 3)).chunk(2)
    expected = balance(scores) + 0.5 * (penalties[0] + penalties[1])
    torch.testing.assert_close(found, expected, rtol=SAID, atol=0)
    wanted = torch.autograd.grad(expected.sum(), weights)
    for one, other in zip(torch.autograd.grad(found.sum(), weights), wanted, strict=True):
        torch.testing.assert_close(one, other, rtol=SAID, atol=SAID)


def test_under_autocast_everything_stays_in_the_format_of_the_weights():
    judge, seen, said = judge_of("mean")
    judge, seen, said = judge.float(), seen.float(), tuple(one.float() for one in said)
    weights, gamma = list(judge.parameters()), torch.tensor([0.0, 0.5, 3.0])
    expected = in_four(judge, seen, said, gamma, weights)
    with torch.autocast("cpu", torch.bfloat16):
        found = in_four(judge, seen.bfloat16().float(), said, gamma, weights)
        drawn = in_four(judge, seen.bfloat16(), said, gamma, weights)
    assert found.dtype == drawn.dtype == torch.float32
    torch.testing.assert_close(found, drawn, rtol=0, atol=0)
    torch.testing.assert_close(found, expected, rtol=0.1, atol=0.1)
    gradients = torch.autograd.grad(drawn.sum(), weights)
    assert all(bool(one.isfinite().all()) and one.dtype == torch.float32 for one in gradients)
