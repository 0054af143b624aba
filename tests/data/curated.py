"""Looking at what decisions did, column by column, and planting findings for them to answer."""

from sqlalchemy import select

from sfumato.data.records import Dataset, Finding, Item


def rows(workspace, *, without=(), name="mine"):
    """All columns of all items of a dataset."""
    columns = [column.key for column in Item.__table__.columns if column.key not in without]
    with workspace.read() as session:
        of = select(Item).join(Dataset, Dataset.id == Item.dataset_id).where(Dataset.name == name)
        return [{column: getattr(row, column) for column in columns} for row in session.scalars(of.order_by(Item.id))]


def ids_of(workspace, name="mine"):
    """The ids of a dataset's items, in the order of their coming."""
    return [row["id"] for row in rows(workspace, name=name)]


def found(workspace, by_item, *, group="", name="mine", **more):
    """Plant an open finding of a check on each of these items."""
    with workspace.write() as session:
        dataset = session.scalar(select(Dataset).where(Dataset.name == name))
        session.add_all(
            Finding(
                dataset_id=dataset.id, item_id=item, check=check, score=0.5, reason="it is planted", group=group, **more
            )
            for item, check in by_item.items()
        )


def decided_on(workspace):
    """Check, state and deciding decision of each finding, by check."""
    by_check = select(Finding).order_by(Finding.check)
    with workspace.read() as session:
        return [(row.check, row.state, row.settled_by) for row in session.scalars(by_check)]
