"""The workspace that the web's benchmark looks at: real pictures by the embedded model, and 100,000 rows of data."""

import json
from collections.abc import Callable
from pathlib import Path

from sfumato.actions import Workspace

PICTURES = 96
ITEMS = 100_000
DATASET = "many"
SENTENCES = ("a red apple, noto style", "a sleeping cat, fluent flat style", "a green tree, fxemoji style")


def make_workspace(folder: Path, say: Callable[[str], None]) -> Path:
    """Make it on the first call: pictures asked for as anybody does, and rows that share the sample's pictures."""
    mark = folder / ".made"
    if mark.exists() and json.loads(mark.read_text()) == [PICTURES, ITEMS]:
        return folder
    from sfumato import library

    with library.open(folder) as workspace:
        say(f"Drawing {PICTURES} pictures and writing {ITEMS:,} rows. This takes a minute once.")
        each = PICTURES // len(SENTENCES)
        for sentence in SENTENCES:
            library.create(workspace, sentence, n=each, steps=4, out=folder / "out")
        library.collect(workspace, "sample", into=DATASET)
        multiply(workspace, ITEMS)
    mark.write_text(json.dumps([PICTURES, ITEMS]))
    return folder


def multiply(workspace: Workspace, wanted: int) -> None:
    """Repeat the dataset's rows under other keys until there are so many."""
    from sqlalchemy import insert, select

    from sfumato.data.records import Dataset, Item
    from sfumato.db import new_id

    with workspace.db.write(project=workspace.project) as session:
        dataset = session.scalars(select(Dataset).where(Dataset.name == DATASET)).one()
        rows = session.scalars(select(Item).where(Item.dataset_id == dataset.id)).all()
        columns = [column.key for column in Item.__table__.columns]
        known = [{name: getattr(row, name) for name in columns} for row in rows]
        fresh = [
            known[place % len(known)] | {"id": new_id(), "key": f"{place:06d}/{known[place % len(known)]['key']}"}
            for place in range(len(known), wanted)
        ]
        for start in range(0, len(fresh), 10_000):
            session.execute(insert(Item), fresh[start : start + 10_000])
