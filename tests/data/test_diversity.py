"""How many different pictures there are in effect is told beside chance, for all of them and for each category."""

import numpy as np
import pytest
from PIL import Image

from sfumato.data import diversity as room
from sfumato.data.diversity import ask_diversity, examine
from sfumato.data.records import Item
from sfumato.errors import InvalidInput, NotFound
from sfumato.jobs.queue import ended_well, get_job
from sfumato.jobs.worker import run_worker


@pytest.fixture
def noisy(collect, tmp_path):
    """A dataset of 24 pictures that are all alike but for a speck, and 24 of noise."""
    folder = tmp_path / "noisy"
    folder.mkdir()
    random = np.random.default_rng(0)
    for number in range(24):
        alike = Image.new("RGB", (16, 16), "red")
        alike.putpixel((number % 16, number // 16), (250, 0, 0))
        alike.save(folder / f"alike-{number:02d}.png")
        colours = np.kron(random.integers(0, 256, (4, 4, 3), np.uint8), np.ones((4, 4, 1), np.uint8))
        Image.fromarray(colours).save(folder / f"noise-{number:02d}.png")
    return collect(path=str(folder), licence="MIT")


def test_a_uniform_category_is_told_from_a_diverse_one(workspace, noisy):
    with workspace.write() as session:
        for item in session.query(Item):
            item.category = item.key.partition("-")[0]
            item.attributes = {"kind": item.category}
    job = ask_diversity(workspace, name="mine")
    run_worker(workspace, only_job=job.id)
    found = ended_well(get_job(workspace, job_id=job.id)).result
    scores = {one["name"]: one for one in found["categories"]}
    assert set(scores) == {"alike", "noise"}
    assert scores["alike"]["below"]
    ratio = {kind: one["vendi"] / one["chance"]["value"] for kind, one in scores.items()}
    assert ratio["alike"] < ratio["noise"]
    assert 1 <= scores["alike"]["vendi"] < scores["noise"]["vendi"] < 24
    assert found["whole"]["vendi"] < found["whole"]["chance"]["low"]
    assert found["coverage"]["effective"] == pytest.approx(2)
    assert found["says"][0].startswith("48 pictures count as ")
    assert any(line.startswith("alike is more uniform") for line in found["says"])
    assert found["balance"]["balances"][0]["attribute"] == "kind"


def test_too_little_is_refused_and_a_large_dataset_is_drawn_from(workspace, noisy, monkeypatch):
    with pytest.raises(NotFound, match="categry"):
        ask_diversity(workspace, name="mine", by="categry")
    with pytest.raises(InvalidInput, match="too few"):
        list(examine(workspace, "mine", where='{"words": "nothing has this"}'))
    rows = [(f"{place:064x}", ("small", "large")[place > 5]) for place in range(300)]
    monkeypatch.setattr(room, "MOST", 100)
    monkeypatch.setattr(room, "MOST_OF_A_CATEGORY", 50)
    drawn = room._drawn(rows)
    assert {kind: len(places) for kind, places in drawn.items()} == {"": 100, "large": 50}
    assert drawn == room._drawn(rows)
