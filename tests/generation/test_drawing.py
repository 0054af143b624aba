"""One seed is one picture: in any batch, by either engine; and guidance, steps and samplers behave at their ends."""

from dataclasses import replace

import numpy as np
import pytest

from sfumato.catalog import Catalog
from sfumato.checkpoints.card import open_card
from sfumato.checkpoints.header import read_header, read_tensors
from sfumato.errors import Cancelled, Damaged, Unsupported
from sfumato.features.encoders import minilm
from sfumato.generation.drawing import SAMPLERS, Drawn, Plan, Told, draw, references, to_straight, walk
from sfumato.generation.engines import onnx_local, torch_local
from sfumato.generation.knowledge import understand

ENGINES = Catalog("sfumato.generation.engines", ("load",))


@pytest.fixture(scope="module")
def card(embedded):
    return open_card(embedded / "card.zip")


@pytest.fixture(scope="module")
def asked(card):
    return understand("a red disc, outline style", card)


@pytest.fixture(scope="module")
def networks(embedded):
    model = embedded / "model.safetensors"
    return {
        "torch_local": torch_local.load(model),
        "onnx_local": onnx_local.load(model),
        "bf16": torch_local.Loaded(model, bf16=True),
    }


def states(network, card, asked, seeds, **options):
    """The last state (B, 4, S, S) of a batch, scaled to [0, 1]."""
    words, on = minilm.encode_tokens([asked.caption])
    words, on = words[:, on[0]], on[:, on[0]].astype(np.float32)
    beside = np.stack([card.picture(row) for row in references(card, asked, seeds)]).transpose(0, 3, 1, 2)
    told = Told(
        np.repeat(words, len(seeds), 0), np.repeat(on, len(seeds), 0),
        np.ascontiguousarray(beside, np.float32) / 127.5 - 1, np.ones(len(seeds), np.float32),
    )  # fmt: skip
    *_, last = walk(network, Plan(asked, seeds, **options), told)
    return (last + 1) / 2


@pytest.mark.parametrize("engine", [pytest.param("torch_local", marks=pytest.mark.slow), "onnx_local"])
def test_a_seed_gives_the_same_picture_alone_and_among_sixty_four(networks, card, asked, engine):
    alone = states(networks[engine], card, asked, [7], steps=2)
    among = states(networks[engine], card, asked, list(range(64)), steps=2)
    assert np.abs(among[7] - alone[0]).max() <= 1e-4
    assert np.abs(among[8] - alone[0]).max() > 0.05  # another seed is another picture


@pytest.mark.slow
def test_in_half_precision_a_seed_gives_nearly_the_same_picture_in_any_batch(networks, card, asked):
    alone = states(networks["bf16"], card, asked, [7], steps=3)
    among = states(networks["bf16"], card, asked, list(range(16)), steps=3)
    assert -10 * np.log10(((among[7] - alone[0]) ** 2).mean() + 1e-12) >= 40


def test_both_engines_draw_the_same(networks, card, asked):
    by_torch = states(networks["torch_local"], card, asked, [0, 1], steps=6)
    by_onnx = states(networks["onnx_local"], card, asked, [0, 1], steps=6)
    assert np.abs(by_torch - by_onnx).max() <= 1e-3


@pytest.mark.parametrize("words", [1, 5, 20])
def test_the_graph_takes_any_batch_and_any_number_of_words(networks, words):
    random = np.random.default_rng(words)
    given = (
        random.standard_normal((3, 4, 32, 32), np.float32), 0.4, random.standard_normal((3, words, 384), np.float32),
        np.ones((3, words), np.float32), random.standard_normal((3, 4, 32, 32), np.float32),
        np.array([1, 0, 1], np.float32),
    )  # fmt: skip
    assert np.abs(networks["torch_local"](*given) - networks["onnx_local"](*given)).max() < 1e-3


def test_words_that_are_not_there_change_nothing(networks, card, asked):
    network = networks["onnx_local"]
    words, on = minilm.encode_tokens([asked.caption])
    z, beside = np.random.default_rng(0).standard_normal((2, 1, 4, 32, 32), np.float32)
    count = int(on.sum())
    padded = network(z, 0.5, words, on.astype(np.float32), beside, np.ones(1, np.float32))
    short = network(z, 0.5, words[:, :count], on[:, :count].astype(np.float32), beside, np.ones(1, np.float32))
    assert np.abs(padded - short).max() < 1e-4


def fields(data: bytes):
    """The fields of a protobuf message as (number, value)."""
    place = 0

    def varint() -> int:
        nonlocal place
        value, shift = 0, 0
        while True:
            byte = data[place]
            place += 1
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return value

    while place < len(data):
        tag = varint()
        if tag & 7 == 0:
            yield tag >> 3, varint()
            continue
        length = {1: 8, 5: 4}.get(tag & 7) or varint()
        yield tag >> 3, data[place : place + length]
        place += length


@pytest.mark.parametrize("graph", sorted(onnx_local.GRAPHS.glob("*.onnx")), ids=lambda path: path.stem)
def test_a_graph_that_ships_holds_no_weights_and_names_them_all(graph):
    architecture, *shape = graph.stem.split("-")
    module = torch_local.ARCHITECTURES.get(architecture)
    told = [name for name in onnx_local.SHAPE if name in module.Options.model_fields]
    options = dict(zip(told, map(int, shape), strict=True))
    wanted = {name for name, _ in module.build(module.Options(**options)).named_parameters()}
    whole = dict(fields(graph.read_bytes()))[7]  # ModelProto.graph
    tensors = [dict(fields(value)) for number, value in fields(whole) if number == 5]  # GraphProto.initializer
    outside = {tensor[8].decode() for tensor in tensors if tensor.get(14) == 1}  # name, data_location: EXTERNAL
    assert outside == wanted
    assert graph.stat().st_size < 1_000_000


@pytest.mark.parametrize("sampler", SAMPLERS.names())
@pytest.mark.parametrize("steps", [1, 2])
def test_every_sampler_draws_in_one_step_and_in_two(networks, card, asked, sampler, steps):
    drawn = states(networks["onnx_local"], card, asked, [3], sampler=sampler, steps=steps)
    assert drawn.shape == (1, 4, 32, 32)
    assert np.isfinite(drawn).all()


def test_in_one_step_all_samplers_give_what_the_network_expects(networks, card, asked):
    drawn = [states(networks["onnx_local"], card, asked, [3], sampler=name, steps=1) for name in SAMPLERS.names()]
    assert max(np.abs(one - drawn[0]).max() for one in drawn) < 1e-4


def test_without_guidance_words_and_reference_do_not_count(networks, card, asked):
    other = understand("a blue square, plain style", card)
    draw_by = {"guidance": 0.0, "steps": 4}
    one = states(networks["onnx_local"], card, asked, [5], **draw_by)
    assert np.abs(one - states(networks["onnx_local"], card, other, [5], **draw_by)).max() < 1e-4
    told = {"guidance": 1.0, "steps": 4}
    one = states(networks["onnx_local"], card, asked, [5], **told)
    assert np.abs(one - states(networks["onnx_local"], card, other, [5], **told)).max() > 1e-3


def test_guidance_one_asks_the_network_once_a_step_and_two_twice_on_its_interval(networks, card, asked):
    sizes = []

    def counting(z, *told):
        sizes.append(len(z))
        return networks["onnx_local"](z, *told)

    counting.size = 32
    states(counting, card, asked, [5], guidance=1.0, steps=10)
    assert sizes == [1] * 10
    sizes.clear()
    states(counting, card, asked, [5], guidance=2.0, steps=10)
    assert sizes == [2] * 7 + [1] * 3  # from t = 0.5 on guidance is off


def test_pictures_come_in_order_in_batches_with_what_they_lean_on(networks, card, asked):
    seeds = list(range(100, 118))
    shares, pictures = [], []
    for thing in draw(networks["onnx_local"], card, Plan(asked, seeds, steps=1, guidance=1.0)):
        (pictures if isinstance(thing, Drawn) else shares).append(thing)
    assert [one.seed for one in pictures] == seeds
    assert [one.place for one in pictures] == list(range(18))
    assert shares == [16 / 18, 1.0]
    leaned = [card.items[one.reference] for one in pictures]
    assert {item["name"] for item in leaned} == {"red disc"}
    assert "outline" not in {item["style"] for item in leaned}
    assert all(item["split"] == "train" for item in leaned)


def test_a_drawing_stops_within_a_step(networks, card, asked):
    steps = draw(networks["onnx_local"], card, Plan(asked, [1], steps=50, guidance=1.0), stop=lambda: True)
    with pytest.raises(Cancelled):
        next(steps)


def test_what_is_all_but_invisible_is_cleared_and_colours_are_not_darkened_by_alpha():
    z = np.zeros((1, 4, 1, 3), np.float32)
    z[0, :, 0, 0] = 0.01 * 2 - 1  # alpha 0.01
    z[0, :, 0, 1] = [0.5 * 2 - 1, 0.25 * 2 - 1, -1, 0.5 * 2 - 1]  # half covered: red 1, green 0.5
    z[0, :, 0, 2] = 3
    assert to_straight(z)[0, 0].tolist() == [[0, 0, 0, 0], [255, 128, 0, 128], [255] * 4]


def test_weights_that_are_not_the_headers_are_told_apart_by_both_engines(embedded, tmp_path):
    from sfumato.checkpoints.header import write_checkpoint

    header, tensors = read_header(embedded / "model.safetensors"), read_tensors(embedded / "model.safetensors")
    tensors.pop("patch_out.weight")
    write_checkpoint(tmp_path / "model.safetensors", tensors, header)
    for engine in ENGINES.names():
        with pytest.raises(Damaged):
            ENGINES.get(engine).load(tmp_path / "model.safetensors")


def test_a_shape_without_a_graph_says_what_to_install(embedded, tmp_path):
    from sfumato.checkpoints.header import write_checkpoint

    header = read_header(embedded / "model.safetensors")
    odd = header.model_copy(update={"options": {**header.options, "depth": 3}})
    write_checkpoint(tmp_path / "model.safetensors", {"a": np.zeros(1)}, odd)
    with pytest.raises(Unsupported, match=r"sfumato\[train\]"):
        onnx_local.load(tmp_path / "model.safetensors")


def test_what_is_there_in_one_style_alone_leans_on_its_neighbour_and_not_on_its_original(card, asked):
    items = [item for item in card.items if item["name"] != "red disc" or item["style"] == "outline"]
    alone = replace(card, items=items)
    leaned = {items[row]["name"] for row in references(alone, asked, range(8))}
    assert len(leaned) == 1
    assert "red disc" not in leaned
