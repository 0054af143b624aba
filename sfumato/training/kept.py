"""Keeping weights: their record, and the name under which they are asked for. Loads no torch."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from sfumato.checkpoints.header import Header
from sfumato.checkpoints.records import Checkpoint, Model
from sfumato.db import link, new_id


def keep_checkpoint(
    session: Session, *, made_by: str, run_id: str | None, header: Header, sha256: str, name: str
) -> Checkpoint:
    """Write a checkpoint's row and let the model `name` point to it; the same weights are written once."""
    row = session.scalar(select(Checkpoint).where(Checkpoint.content_hash == sha256))
    if row is None:
        row = Checkpoint(
            id=new_id(), made_by=made_by, content_hash=sha256, run_id=run_id, samples_seen=header.samples_seen,
            ema=header.ema, header=header.model_dump(),
        )  # fmt: skip
        session.add(row)
        if run_id is not None:
            link(session, row.ref, f"run/{run_id}", "trained by")
    model = session.scalar(select(Model).where(Model.name == name))
    if model is None:
        session.add(Model(id=new_id(), made_by=made_by, name=name, checkpoint_id=row.id))
    else:
        model.checkpoint_id = row.id
    return row
