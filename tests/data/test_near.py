"""Pairs of near hashes are exactly those that comparing everything with everything finds."""

import time
import tracemalloc
from contextlib import contextmanager

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw

from sfumato.data import copies
from sfumato.data.copies import Options, Pair, find_pairs, group_pairs
from sfumato.data.near import pairs_within
from sfumato.data.packed import Hexes
from sfumato.data.pictures import Unusable
from sfumato.data.scan import Table
from sfumato.data.second_look import COVERED, DECOLOURED, DOUBTS, Alike, Small, compare
from tests.data.seen_pictures import scene


def everything(hashes, radius, others=None):
    apart = np.bitwise_count(hashes[:, None] ^ (hashes if others is None else others)[None])
    one, other = np.nonzero(apart <= radius)
    found = {(int(i), int(j), int(apart[i, j])) for i, j in zip(one, other, strict=True)}
    return {pair for pair in found if pair[0] < pair[1]} if others is None else found


@st.composite
def crowded(draw):
    """Hashes of which many are near each other, as those of real pictures are, and some equal."""
    seeds = draw(st.lists(st.integers(0, 2**64 - 1), min_size=1, max_size=6))
    flips = st.lists(st.integers(0, 63), max_size=14)
    found = []
    for seed in seeds:
        for bits in draw(st.lists(flips, min_size=1, max_size=8)):
            found.append(seed ^ sum(1 << bit for bit in set(bits)))
    return np.array(found, np.uint64)


@given(crowded(), st.integers(0, 14))
@settings(max_examples=60, deadline=None)
def test_no_pair_is_missed_and_none_is_made_up(hashes, radius):
    found = pairs_within(hashes, radius)
    triples = list(zip(*(part.tolist() for part in found), strict=True))
    assert len(triples) == len(set(triples))
    assert set(triples) == everything(hashes, radius)


@given(crowded(), crowded(), st.integers(0, 12))
@settings(max_examples=30, deadline=None)
def test_two_sets_are_compared_with_each_other(hashes, others, radius):
    found = pairs_within(hashes, radius, others)
    assert set(zip(*(part.tolist() for part in found), strict=True)) == everything(hashes, radius, others)


def test_twenty_thousand_hashes_take_little_time():
    hashes = np.random.default_rng(0).integers(0, 2**64, 20_000, dtype=np.uint64)
    hashes[1] = hashes[0] ^ np.uint64(0b1111111111)
    begun = time.process_time()
    one, other, apart = pairs_within(hashes, 10)
    assert time.process_time() - begun < 20, "comparing everything takes minutes; this takes half a second"
    assert (0, 1, 10) in set(zip(one.tolist(), other.tolist(), apart.tolist(), strict=True))


def table_of(dhash, phash, more):
    """What was measured of pictures with these hashes, each of a content of its own that cannot be opened."""
    source, n = np.random.default_rng(5), len(dhash)

    def small(_):
        raise Unusable("missing", "it is a test")

    contents = Hexes(source.integers(0, 256, (n, 32), dtype=np.uint8))
    columns = {"dhash": dhash, "phash": phash, "more_hashes": more, "is_flat": np.zeros(n, bool)}
    return Table(contents, contents, contents, columns, small)


@contextmanager
def copies_in_chunks(chunk):
    before, copies.CHUNK = copies.CHUNK, chunk
    try:
        yield
    finally:
        copies.CHUNK = before


@given(crowded(), st.integers(0, 12), st.booleans(), st.integers(1, 50), st.integers(1, 12))
@settings(max_examples=15, deadline=None)
def test_each_pair_of_pictures_whose_hashes_are_near_is_looked_at_twice_once(hashes, radius, cropped, chunk, often):
    dhash = np.repeat(hashes, [1 + number % often for number in range(len(hashes))])[: copies.BESIDE]
    more = np.stack([np.roll(dhash, step) for step in range(1, 10)], 1)
    table = table_of(dhash, dhash[::-1].copy(), more)
    with copies_in_chunks(chunk):
        found = [list(copies._unpacked(some)) for some in copies._candidates(
            table, Options(radius=radius, mirrored=True, turned=False, cropped=cropped))]  # fmt: skip
    sets = [(dhash, dhash, radius), (table.phash, table.phash, radius)]
    sets += [(more[:, number], dhash, min(radius, 8) if number else radius) for number in range(6 if cropped else 1)]
    for pairs, (mine, theirs, most) in zip(found, sets, strict=True):
        apart = np.bitwise_count(mine[:, None] ^ theirs)
        near = np.argwhere(np.minimum(apart, apart.T) <= most).tolist()
        near = [(one, other) for one, other in near if one < other]
        assert pairs == near


def test_searching_needs_memory_for_what_is_near_not_for_each_picture():
    source = np.random.default_rng(1)
    table = table_of(*source.integers(0, 2**64, (2, 20_000), dtype=np.uint64),
                     source.integers(0, 2**64, (20_000, 9), dtype=np.uint64))  # fmt: skip
    tracemalloc.start()
    try:
        for _ in find_pairs(table, Options(radius=4, cropped=False, turned=False)):
            pass
        assert tracemalloc.get_traced_memory()[1] < 450 * 20_000, "sets of pairs and lists by hash took more"
    finally:
        tracemalloc.stop()


def test_a_chain_of_small_steps_is_no_group():
    alike = Alike(0.99, "")
    chain = [Pair(place, place + 1, alike) for place in range(6)]
    groups, loose = group_pairs(chain)
    assert max(len(group) for group in groups) == 2
    assert len(loose) == 3
    whole = [Pair(one, other, alike) for one in range(4) for other in range(one + 1, 4)]
    assert group_pairs(whole) == ([[0, 1, 2, 3]], [])


def test_two_pictures_are_compared_by_what_is_in_them_not_by_their_shade():
    one, other = (Small.of(np.asarray(scene(number).convert("YCbCr"))) for number in (1, 2))
    assert compare(one, other, ("mirrored", "cropped", "turned")) is None
    assert compare(one, one, ()).score > 0.999
    assert compare(one.mirrored(), one, ()) is None
    assert compare(one.mirrored(), one, ("mirrored",)).how == "mirrored"
    shade = np.zeros((64, 64, 3), np.uint8)
    shade[..., 0] = np.arange(64) * 3
    shade[..., 1:] = 128
    assert compare(Small.of(shade), Small.of(shade), ()) is None, "a plain shade is like every other"


def seen(draw, size=96):
    """A drawing upon white, of so many pixels a side, as it is compared."""
    picture = Image.new("RGB", (384, 384), "white")
    draw(ImageDraw.Draw(picture), 4)
    return Small.of(np.asarray(picture.resize((size, size), Image.Resampling.LANCZOS).convert("YCbCr")))


def test_two_drawings_are_not_the_same_for_the_white_around_them():
    def slug(pen, k):
        pen.line((10 * k, 20 * k, 84 * k, 50 * k), fill="saddlebrown", width=round(9 * k))

    def pencil(pen, k):
        pen.line((20 * k, 76 * k, 76 * k, 16 * k), fill="green", width=round(9 * k))

    def football(pen, k):
        pen.ellipse((8 * k, 20 * k, 88 * k, 78 * k), fill="saddlebrown")
        pen.line((30 * k, 34 * k, 66 * k, 34 * k), fill="white", width=round(4 * k))

    def avocado(pen, k):
        pen.ellipse((8 * k, 16 * k, 88 * k, 78 * k), fill="darkgreen")

    def sign(pen, k):
        corners = [(48 * k, 8 * k), (92 * k, 86 * k), (4 * k, 86 * k)]
        pen.polygon(corners, fill="white", outline="red", width=round(6 * k))

    def ring_in_sign(pen, k):
        sign(pen, k)
        pen.ellipse((34 * k, 44 * k, 62 * k, 72 * k), outline="black", width=round(8 * k))

    drawings = [slug, pencil, football, avocado, sign, ring_in_sign]
    for one in drawings:
        for other in drawings:
            found = compare(seen(one), seen(other, 48), ("mirrored", "cropped", "turned"))
            assert (found is not None) == (one is other), (one.__name__, other.__name__, found)


def test_an_eye_of_another_colour_is_another_eye():
    def eye(colour):
        def draw(pen, k):
            pen.ellipse((4 * k, 28 * k, 92 * k, 68 * k), outline="black", width=round(3 * k))
            pen.ellipse((34 * k, 34 * k, 62 * k, 62 * k), fill=colour)
            pen.ellipse((44 * k, 44 * k, 52 * k, 52 * k), fill="black")

        return draw

    blue, brown, grey = (seen(eye(colour)) for colour in ((40, 90, 200), (160, 74, 16), (95, 95, 95)))
    assert compare(blue, blue, ()).score > 0.99
    assert compare(blue, brown, ()) is None
    assert compare(blue, grey, ()).how == DECOLOURED, "the same one in grey is told, for a person to look at"


def test_a_part_that_differs_is_told_and_the_rest_agrees_wholly():
    def house(pen, k, covered=False, window="navy"):
        pen.polygon([(10 * k, 40 * k), (48 * k, 8 * k), (86 * k, 40 * k)], fill="firebrick")
        pen.rectangle((16 * k, 40 * k, 80 * k, 88 * k), fill="khaki", outline="black")
        pen.rectangle((28 * k, 50 * k, 44 * k, 66 * k), fill=window)
        pen.line((16 * k, 76 * k, 80 * k, 70 * k), fill="sienna", width=round(3 * k))
        if covered:
            pen.rectangle((56 * k, 62 * k, 92 * k, 76 * k), fill="black")

    plain, marked = seen(house), seen(lambda pen, k: house(pen, k, covered=True))
    found = compare(plain, marked, ())
    assert (found.how, found.how in DOUBTS) == (COVERED, True)
    assert compare(plain, seen(house, 192), ()).how == ""
    faint = seen(lambda pen, k: (house(pen, k), pen.rectangle((64 * k, 80 * k, 70 * k, 84 * k), fill="black")))
    assert compare(plain, faint, ()).score > 0.95
    assert compare(plain, faint, ()).how == COVERED, "a mark so small that the whole is as good as the same"


def test_nothing_is_found_in_a_flat_part_of_a_picture():
    def drawing(seed, side):
        grey = np.full((64, 64), 255.0, np.float32)
        dots = np.random.default_rng(seed).integers(0, 2, (side // 4, side // 4)) * 255
        grey[2 : 2 + side, 2 : 2 + side] = np.kron(dots, np.ones((4, 4)))
        return Small(grey, np.zeros((8, 8, 2), np.float32))

    for side in (4, 8, 12):
        assert compare(drawing(1, side), drawing(2, 24), ("cropped",)) is None


def test_a_part_is_found_wherever_it_lies():
    whole = np.random.default_rng(3).integers(0, 256, (16, 16)).astype(np.float32)
    whole = np.kron(whole, np.ones((4, 4), np.float32))
    flat = np.zeros((8, 8, 2), np.float32)
    for top, left in ((0, 0), (6, 13), (12, 12)):
        side = 51  # eight tenths
        part = np.asarray(Image.fromarray(whole[top : top + side, left : left + side]).resize((64, 64)), np.float32)
        found = compare(Small(whole, flat), Small(part, flat), ("cropped",))
        assert found is not None
        assert (found.how, round(found.score, 1)) == ("cropped to 64%", 1.0)
