"""The graph of a trace: what is of one kind in one column, and each source once, however often it is met."""

from sfumato.compliance.chain import Step
from sfumato.web.walks import COLUMNS, graph_of


def learnt(seed, samples):
    """A run on a version with two sources, as the header of a checkpoint tells it: nothing of it is on record here."""
    facts = {"version": "1", "licence": "MIT", "n": 5}
    sources = tuple(Step("from", f"npm {name}", facts, "", "header") for name in "ab")
    version = Step("learnt from", "version icons@0123", {"n": 10}, "", "header", steps=sources)
    return Step("trained by", f"run icons-{seed}", {"samples_seen": samples}, "", "header", steps=(version,))


def test_a_model_grown_from_another_shows_each_kind_in_its_column_and_each_source_once():
    first = Step("grown from", "weights 1", {}, "", "header", steps=(learnt(1, 80),))
    weights = Step("drawn by", "weights 2", {}, "checkpoint/2", "record", steps=(learnt(2, 250), first))
    request = Step("asked by", '"a llama"', {}, "request/1", "record", steps=(weights,))
    graph = graph_of(Step("", "picture 1", {}, "image/1", "record", steps=(request,)), None, picture="/a.png")
    found = {heading: sorted(one.node.title for one in nodes) for heading, _, nodes in graph.columns}
    assert found == {
        "Sources": ["npm a", "npm b"], "Dataset version": ["version icons@0123"], "Run": ["run icons-1", "run icons-2"],
        "Model": ["weights 1", "weights 2"], "Request": ['"a llama"'], "Picture": ["picture 1"],
    }  # fmt: skip
    assert list(found) == [heading for heading in COLUMNS if heading in found]


def test_what_came_of_a_run_stands_to_its_right():
    below = Step("", "run a", {}, "run/1", "record", steps=(Step("made", "weights 1", {}, "checkpoint/1", "record"),))
    graph = graph_of(Step("", "run a", {}, "run/1", "record", steps=learnt(1, 8).steps), below)
    assert [heading for heading, _, _ in graph.columns] == [
        "Sources", "Dataset version", "This record", "What came of it"
    ]  # fmt: skip
