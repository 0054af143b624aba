"""What a decision has set stays when its source is collected again; everything else follows the source."""

import json

from sqlalchemy import select

from sfumato.data.records import LEFT_OUT, Item


def test_a_decision_outlasts_collecting_again(workspace, shapes, collect):
    lines = [{"file_name": "red-disc.png", "text": "a ball", "license": "MIT", "author": "Bo", "consent": "given"}]
    (shapes / "metadata.jsonl").write_text("\n".join(map(json.dumps, lines)))
    collect(path=str(shapes))
    with workspace.write() as session:
        row = session.scalars(select(Item).where(Item.key == "red-disc.png")).one()
        row.name, row.licence, row.edited = "my ball", "CC0-1.0", ["name", "licence"]
        row.state, row.revision = LEFT_OUT, 3
        assert row.consent == "given"
    lines[0] |= {"text": "another ball", "license": "GPL-3.0-only", "author": "Cy", "consent": "withdrawn"}
    (shapes / "metadata.jsonl").write_text("\n".join(map(json.dumps, lines)))
    collect(path=str(shapes))
    assert collect.result["counts"] == {"known": 12, "changed": 1}
    with workspace.read() as session:
        row = session.scalars(select(Item).where(Item.key == "red-disc.png")).one()
    assert (row.name, row.licence, row.state, row.revision) == ("my ball", "CC0-1.0", LEFT_OUT, 3)
    assert (row.author, row.consent) == ("Cy", "withdrawn")
    collect(path=str(shapes))
    assert collect.result["say"].startswith("Nothing changed")


def test_progress_has_an_end_where_the_source_can_count(workspace, shapes):
    from sfumato.data.collect import collect as ask
    from sfumato.data.jobs import collect as work
    from sfumato.jobs import JobContext
    from sfumato.jobs.worker import claim

    (shapes / "bad.png").write_bytes(b"")
    job = ask(workspace, source="folder", into="mine", options={"path": str(shapes)})
    taken = claim(workspace, "me", ("quick", "long"), job.id, 60.0)
    steps = list(work(JobContext(workspace, job.id, taken.attempt), taken.spec))
    assert [(step.done, step.total) for step in steps[1:-1]] == [(n, 13) for n in range(1, 14)]
    assert (steps[-1].done, steps[-1].total) == (13, 13)
