"""What every check keeps: it says what it is for, proposes what it was given, with a reason, and the same twice."""

import numpy as np
import pytest
from pydantic import BaseModel

from sfumato.data.appearance import measure, miniature
from sfumato.data.packed import Hexes
from sfumato.data.reading import HASHES, NUMBERS
from sfumato.data.scan import CHECKS, WORK, ItemRow, Proposal, Table, work_of
from sfumato.data.second_look import Small
from tests.data.seen_pictures import COPIES, FAULTS, jpeg, scene

MOST = 10**8


@pytest.fixture(params=CHECKS.names())
def check(request):
    return request.param, CHECKS.get(request.param)


@pytest.fixture(scope="module")
def files():
    """Plain pictures, copies and faults, and a file that is none."""
    found = [jpeg(scene(number)) for number in range(12)]
    found += [copy(scene(number)) for number, copy in enumerate(COPIES.values())]
    found += [spoil(scene(number)) for number, spoil in enumerate(FAULTS.values(), 50)]
    return [*found, found[0], b"nothing"]


def table(files) -> Table:
    rows = [{"file_bytes": len(data), **measure(data, MOST)} for data in files]
    column = {name: np.array([row[name] for row in rows], float) for name in NUMBERS}
    column["is_flat"] = np.array([row["is_flat"] for row in rows], bool)
    column |= {name: np.array([row[name] for row in rows], np.int64).view(np.uint64) for name in HASHES}
    more = [row["more_hashes"] or [0] * 9 for row in rows]
    column["more_hashes"] = np.array(more, np.int64).reshape(len(rows), 9).view(np.uint64)
    names = [f"{place:04}" for place in range(len(files))]
    splits = ["train" if place % 2 else "test" for place in range(len(files))]
    none, sizes = [""] * len(files), np.full(len(files), 160)
    column |= {"width": sizes, "height": sizes, "has_alpha": np.zeros(len(files), bool)}
    column |= {"source": none, "split": splits, "given_split": splits, "family": none}
    contents = Hexes.of([f"{place + 1:064x}" for place in range(len(files))])
    return Table(
        names, contents, Hexes.of([row["pixels_sha256"] for row in rows]), column,
        lambda sha256: Small.of(miniature(files[int(sha256, 16) - 1], MOST)),
    )  # fmt: skip


def rows(n):
    plain = {"tags": [], "width": 8, "height": 8, "evidence": {}}
    names = [name for name in ItemRow.__dataclass_fields__ if name != "id"]
    return [
        ItemRow(id=f"{place:04}", **{name: plain.get(name, f"{name} {place}") for name in names}) for place in range(n)
    ]


def test_it_says_what_it_is_and_what_it_looks_for(check):
    name, module = check
    assert module.TITLE
    assert module.SAYS.endswith(".")
    assert module.KIND in WORK
    assert work_of(name)
    assert issubclass(module.Options, BaseModel)
    assert module.Options().model_config["extra"] == "forbid"
    assert all(field.description for field in module.Options.model_fields.values())


@pytest.mark.parametrize("name", [name for name in CHECKS.names() if CHECKS.get(name).KIND != "neural"])
def test_it_proposes_what_it_was_given_with_a_reason_and_the_same_twice(name, files):
    module = CHECKS.get(name)

    def proposals(n):
        given = table(files[:n]) if module.KIND == "pixels" else rows(n)
        return [one for one in work_of(name)(given, module.Options()) if isinstance(one, Proposal)]

    found = proposals(len(files))
    assert found == proposals(len(files))
    known = {f"{place:04}" for place in range(len(files))}
    for one in found:
        assert isinstance(one, Proposal)
        assert one.item_id in known
        assert one.beside_id in known | {""}
        assert one.beside_id != one.item_id
        assert 0 <= one.score <= 1
        assert one.reason.endswith(".")
        assert len(one.group) <= 36
    assert len({(one.item_id, one.beside_id) for one in found}) == len(found)
    assert proposals(0) == [], "of an empty dataset nothing can be said"
