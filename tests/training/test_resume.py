"""Training that stopped goes on as if it never had: bit for bit, for weights, averages and optimiser."""

import pytest
import torch

from sfumato.training import saving
from sfumato.training.folder import prepare
from sfumato.training.loop import Learner, averaged, train
from sfumato.training.machine import Machine
from sfumato.training.recipes import flow


def learner(tiny, machine=Machine(), **options):
    return Learner.fresh(flow, flow.Options(**tiny | options), machine)


def walk(one, material, until):
    """Take steps until so many samples are seen."""
    for step in train(one, material):
        if step.samples_seen >= until:
            return step


def same(one, other):
    """Whether two states are the same, bit for bit."""
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


@pytest.mark.parametrize("optimizer", ["muon", "adamw"])
@pytest.mark.parametrize("bf16", [False, True])
def test_eight_steps_are_four_and_four_more(tmp_path, material, tiny, optimizer, bf16):
    machine = Machine(bf16=bf16, fused_attention=not bf16)
    whole = learner(tiny, machine, optimizer=optimizer)
    walk(whole, material, 32)

    half = learner(tiny, machine, optimizer=optimizer)
    walk(half, material, 16)
    assert not same(half.state(), whole.state())
    saving.save_state(tmp_path, half)

    tensors, facts = saving.newest_state(tmp_path)
    resumed = learner(tiny | {"seed": 0}, Machine.model_validate_json(facts["machine"]), optimizer=optimizer)
    resumed.restore(tensors, int(facts["samples_seen"]))
    walk(resumed, material, 32)
    assert {name.split(".")[0] for name in whole.state()} >= {"net", "short", "long", "opt0"}
    assert same(resumed.state(), whole.state())


def test_measuring_and_previews_leave_no_trace(material, tiny):
    quiet = learner(tiny, checkpoint_every=10**6, preview_every=10**6)
    busy = learner(tiny, checkpoint_every=4, preview_every=4)
    walk(quiet, material, 24)
    step = walk(busy, material, 24)
    assert step.held_out
    assert step.preview is not None
    assert same(quiet.state(), busy.state())


def test_a_measurement_says_the_same_again(material, tiny):
    one = learner(tiny)
    first, again = (averaged(one, lambda net: flow.held_out(one.options, material, net)) for _ in range(2))
    assert first == again
    assert list(first) == ["t=0.1", "t=0.3", "t=0.5", "t=0.7"]


@pytest.mark.parametrize("harm", ["cut short", "other bytes", "unnamed"])
def test_a_broken_state_is_passed_over_for_the_one_before(tmp_path, material, tiny, harm):
    one = learner(tiny)
    walk(one, material, 8)
    saving.save_state(tmp_path, one)
    before = {name: values.clone() for name, values in one.state().items()}
    walk(one, material, 16)
    saving.save_state(tmp_path, one)

    newest = max(tmp_path.glob("state-*.safetensors"))
    data = newest.read_bytes()
    if harm == "cut short":
        newest.write_bytes(data[: len(data) // 2])
    elif harm == "other bytes":
        newest.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
    else:
        newest.with_suffix(".sha256").unlink()
    (tmp_path / ".draft-left-by-a-crash").write_bytes(data[:100])
    tensors, facts = saving.newest_state(tmp_path)
    assert facts["samples_seen"] == "8"
    assert same(tensors, before)

    for state in tmp_path.glob("state-*.safetensors"):
        state.write_bytes(b"")
    assert saving.newest_state(tmp_path) is None


def test_only_two_generations_are_kept(tmp_path, material, tiny):
    one = learner(tiny)
    for until in (4, 8, 12, 16):
        walk(one, material, until)
        saving.save_state(tmp_path, one)
    assert [path.stem[-3:] for path in sorted(tmp_path.glob("state-*.safetensors"))] == ["012", "016"]
    prepare(tmp_path)
    assert len(list(tmp_path.iterdir())) == 4


def test_a_state_of_another_network_is_refused(tmp_path, tiny):
    saving.save_state(tmp_path, learner(tiny))
    tensors, _ = saving.newest_state(tmp_path)
    with pytest.raises(Exception, match="another shape"):
        learner(tiny, depth=2).restore(tensors, 0)
