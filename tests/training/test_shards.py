"""A batch shared out among threads: the same gradients within rounding, and the same bits every time."""

import pytest
import torch

from sfumato.training.loop import Learner, take_step
from sfumato.training.machine import Machine
from sfumato.training.recipes import flow
from sfumato.training.shards import gradients, hands

TINY = flow.Options(size=16, width=64, depth=2, batch=6, samples=600)


def a_batch(count=6):
    generator = torch.Generator().manual_seed(3)

    def some(*shape):
        return torch.randn(count, *shape, generator=generator)

    return {
        "x": some(4, 16, 16), "reference": some(4, 16, 16), "reference_on": torch.ones(count),
        "words": some(5, 384), "words_on": torch.ones(count, 5), "t": torch.linspace(0.1, 0.9, count),
        "noise": some(4, 16, 16),
    }  # fmt: skip


def stepped(shards, steps):
    """A learner's weights after some steps."""
    learner = Learner.fresh(flow, TINY, Machine(threads=1, shards=shards))
    for _ in range(steps):
        take_step(learner, a_batch())
        learner.samples_seen += TINY.batch
    return learner


@pytest.mark.parametrize(("shards", "accumulate"), [(2, 1), (4, 1), (6, 1), (1, 3), (2, 2)])
def test_gradient_and_loss_are_those_of_the_whole_batch(shards, accumulate):
    net = stepped(1, 2).net  # two steps, since some weights of a fresh network are zero
    weights = list(net.parameters())
    whole = gradients(flow.losses, net, a_batch(), weights=weights)
    expected = [weight.grad.clone() for weight in net.parameters()]
    shared = gradients(flow.losses, net, a_batch(), weights=weights, shards=shards, accumulate=accumulate)
    assert shared == pytest.approx(whole, rel=1e-5)
    for weight, grad in zip(net.parameters(), expected, strict=True):
        torch.testing.assert_close(weight.grad, grad, rtol=1e-4, atol=1e-6)


def test_the_same_shares_give_the_same_bits():
    first, again = stepped(3, 4), stepped(3, 4)
    for name, value in first.state().items():
        assert torch.equal(value, again.state()[name]), name


def test_shares_learn_what_the_whole_learns():
    whole, shared = stepped(1, 4), stepped(3, 4)
    for (name, one), other in zip(whole.net.named_parameters(), shared.net.parameters(), strict=True):
        torch.testing.assert_close(one, other, rtol=2e-2, atol=2e-3, msg=name)
    assert threads_here() == 1


def threads_here() -> int:
    """Threads of this one's products, which those of the shares must not have changed."""
    return torch.get_num_threads()


def test_each_share_is_computed_on_one_core_whatever_holds_of_the_process():
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        said = set(hands(4).map(lambda turn: (torch.rand(100_000).exp_(), torch.get_num_threads())[1], range(8)))
        assert (said, torch.get_num_threads()) == ({1}, 2)
    finally:
        torch.set_num_threads(before)
