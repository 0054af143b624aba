"""All pictures of a project, the newest first, each with the verdict that decides."""

import pytest

from sfumato.actions import Actor
from sfumato.errors import InvalidInput, NotFound
from sfumato.generation.gallery import beside, list_tiles
from sfumato.generation.records import Image, Published, Request
from sfumato.review.judge import approve, reject

BEA = Actor("person/bea", "Bea", ("admin",))
EVE = Actor("person/eve", "Eve", ("admin",))


def drawn(workspace, n, *, prompt="a red apple", model="emoji", private_to=""):
    ids = []
    with workspace.write() as session:
        request = Request(
            prompt=prompt, n=n, seed=7, sampler="euler", steps=1, guidance=1.0, background="white", engine="auto",
            model=model, checkpoint_sha256="0" * 64, private_to=private_to,
        )  # fmt: skip
        session.add(request)
        session.flush()
        for place in range(n):
            image = Image(
                request_id=request.id, place=place, seed=7 + place, sha256="1" * 64, width=8, height=8, reference=None,
                made_by=workspace.actor.id, private_to=private_to,
            )  # fmt: skip
            session.add(image)
            session.flush()
            out = Published(
                image_id=image.id, sha256="2" * 64, file_name="a.png", mime="image/png", background="white",
                private_to=private_to,
            )  # fmt: skip
            session.add(out)
            ids.append(image.id)
    return sorted(ids)


def test_parts_of_a_list_follow_each_other_without_gap(either):
    ids = drawn(either, 7)
    first = list_tiles(either, limit=3)
    second = list_tiles(either, limit=5, after=first[-1].id)
    assert [one.id for one in first + second] == ids[::-1]
    assert (first[0].prompt, first[0].model, first[0].verdict) == ("a red apple", "emoji", None)


def test_what_decides_is_told_and_can_be_asked_for(either):
    ids = drawn(either, 3)
    approve(either.as_actor(BEA), subjects=[f"image/{ids[0]}"])
    reject(either.as_actor(EVE), subjects=[f"image/{ids[0]}"], reason="the stalk is lost")
    approve(either.as_actor(BEA), subjects=[f"image/{ids[1]}"])
    told = dict(zip(ids, ["rejected", "approved", None], strict=True))
    assert {one.id: one.verdict for one in list_tiles(either)} == told
    assert [one.id for one in list_tiles(either, verdict="approved")] == [ids[1]]
    assert [one.id for one in list_tiles(either, verdict="rejected")] == [ids[0]]
    assert [one.id for one in list_tiles(either, verdict="open")] == [ids[2]]


def test_a_verdict_that_there_is_not_is_refused_in_words(either):
    with pytest.raises(InvalidInput, match="not 'lovely'"):
        list_tiles(either, verdict="lovely")


def test_words_and_model_narrow(either):
    drawn(either, 1, prompt="a 100% green llama")
    ids = drawn(either, 1, model="other")
    assert [one.id for one in list_tiles(either, model="other")] == ids
    assert [one.prompt for one in list_tiles(either, words="100% llama")] == ["a 100% green llama"]


def test_nobody_sees_private_pictures_of_others_nor_those_of_another_project(either):
    drawn(either.as_actor(BEA), 1, private_to=BEA.id)
    drawn(either.in_project("00000000-0000-7000-8000-00000000000f"), 1)
    assert list_tiles(either.as_actor(EVE)) == []
    assert len(list_tiles(either.as_actor(BEA))) == 1


def test_a_picture_knows_its_neighbours_in_the_list_it_came_from(either):
    first, other, last = drawn(either, 1)[0], drawn(either, 1, model="other")[0], drawn(either, 1)[0]
    assert beside(either, id=other).older == first
    assert beside(either, id=other).newer == last
    assert beside(either, id=last, model="emoji").older == first
    assert beside(either, id=last).newer == ""
    for foreign in ("none", "0" * 36):
        with pytest.raises(NotFound, match="no picture"):
            beside(either, id=foreign)
