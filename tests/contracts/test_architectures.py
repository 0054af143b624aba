"""Every architecture: draws in the right shape, learns everywhere, and comes back from a checkpoint unchanged."""

import inspect

import pytest
import torch

from sfumato.catalog import Catalog
from sfumato.checkpoints.header import Header, read_header, read_tensors, write_checkpoint

ARCHITECTURES = Catalog("sfumato.models.architectures", ("Options", "build", "example"))
SMALL = {"size": 16, "patch": 4, "width": 64, "depth": 2}
BATCH = 3


@pytest.fixture(params=ARCHITECTURES.names())
def module(request):
    """The module of one architecture."""
    return ARCHITECTURES.get(request.param)


@pytest.fixture
def net(module):
    """A small network with no weight at zero, so that nothing is hidden by how it starts."""
    torch.manual_seed(0)
    fields = module.Options.model_fields
    made = module.build(module.Options(**{name: value for name, value in SMALL.items() if name in fields}))
    for weight in made.parameters():
        torch.nn.init.normal_(weight, std=0.1)
    return made


@pytest.fixture
def names(net):
    """What its inputs are called; those behind a star are not looked at."""
    taken = inspect.signature(net.forward).parameters.values()
    return [one.name for one in taken if one.kind is not one.VAR_POSITIONAL]


@pytest.fixture
def given(module, net, names):
    """Its inputs, in order; one picture of three has few words, and one no reference, where it takes any."""
    torch.manual_seed(1)
    inputs = dict(zip(names, module.example(net.options, BATCH), strict=True))
    if "text_mask" in inputs:
        inputs["text_mask"][1, 4:] = 0
    if "reference_on" in inputs:
        inputs["reference_on"] = torch.tensor([1.0, 0.0, 1.0])
    return list(inputs.values())


def test_it_draws_pictures_of_the_shape_that_it_says(net, given):
    drawn = net(*given)
    side = net.options.size * getattr(net.options, "times", 1)
    assert drawn.shape == (BATCH, 4, side, side)
    assert drawn.dtype == torch.float32
    assert drawn.std() > 0.01


def test_every_weight_learns(net, given):
    net(*given).square().mean().backward()
    still = [name for name, weight in net.named_parameters() if weight.grad is None or not weight.grad.any()]
    assert not still


def test_every_input_counts(net, names, given):
    base = net(*given)
    for place, name in enumerate(names):
        if name in ("text_mask", "reference_on"):
            continue
        changed = [one.clone() for one in given]
        changed[place] = changed[place].flip(0)
        assert not torch.allclose(net(*changed), base, atol=1e-3), f"{name} changes nothing"


def test_a_fresh_network_is_the_same_for_the_same_seed(module):
    made = []
    for _ in range(2):
        torch.manual_seed(5)
        fields = module.Options.model_fields
        options = module.Options(**{name: value for name, value in SMALL.items() if name in fields})
        made.append(module.build(options).state_dict())
    assert all(torch.equal(made[0][name], made[1][name]) for name in made[0])


@pytest.mark.parametrize("half", [False, True])
def test_it_comes_back_from_a_checkpoint(module, net, given, tmp_path, half):
    path = tmp_path / "net.safetensors"
    weights = {name: weight.detach().numpy() for name, weight in net.named_parameters()}
    header = Header(architecture=module.__name__.rsplit(".", 1)[-1], options=net.options.model_dump(), recipe="none")
    write_checkpoint(path, weights, header, half=half)

    said = read_header(path)
    assert said == header
    again = ARCHITECTURES.get(said.architecture).build(module.Options.model_validate(said.options))
    again.load_state_dict({name: torch.from_numpy(values) for name, values in read_tensors(path).items()}, strict=True)
    if half:
        for weight in net.parameters():
            weight.data = weight.data.bfloat16().float()
    assert torch.equal(again(*given), net(*given))


def test_both_ways_of_attention_draw_the_same(net, given):
    if not hasattr(net, "fused_attention"):
        return  # it has only one way
    drawn = []
    for fused in (False, True):
        net.fused_attention = fused
        drawn.append(net(*given))
    assert torch.allclose(drawn[0], drawn[1], rtol=1e-4, atol=1e-4 * float(drawn[0].detach().std()))


def test_padding_changes_nothing(net, names, given):
    if "text" not in names:
        return  # it reads no words
    base, text, mask = net(*given), names.index("text"), names.index("text_mask")
    other = [one.clone() for one in given]
    other[text][1, 4:] = 77.0  # words that are not there
    if "reference" in names:
        other[names.index("reference")][1] = -3.0  # nor is the reference
    assert torch.allclose(net(*other), base, atol=1e-5)
    cut = [one[1:2] for one in given]
    cut[text], cut[mask] = cut[text][:, :4], cut[mask][:, :4]
    assert torch.allclose(net(*cut), base[1:2], atol=1e-4)


def test_a_picture_does_not_depend_on_its_neighbours(net, given):
    base = net(*given)
    alone = net(*(one[:1] for one in given))
    assert torch.allclose(alone, base[:1], atol=1e-4)


def test_a_patch_that_does_not_fit_is_refused(module):
    if "patch" in module.Options.model_fields:
        with pytest.raises(ValueError, match="no multiple"):
            module.Options(size=30, patch=4)
