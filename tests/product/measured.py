"""Judged pictures and measurements of some weights, as real rows."""

import numpy as np

from sfumato.checkpoints.header import Header, write_checkpoint
from sfumato.checkpoints.records import Checkpoint, Model
from sfumato.db import new_id
from sfumato.evaluation.records import Measurement
from sfumato.review.judge import approve, reject
from tests.crew import add_pictures


def judge(workspace, weights, approved, rejected):
    """Let pictures of these weights be judged."""
    refs = add_pictures(workspace, approved + rejected, weights=weights)
    if approved:
        approve(workspace, subjects=refs[:approved])
    if rejected:
        reject(workspace, subjects=refs[approved:], reason="no llama")


def measure(workspace, weights, metric, group, value, low, high, n):
    """Write a measurement as an evaluation does."""
    with workspace.write() as session:
        session.add(
            Measurement(
                id=new_id(), subject=weights, metric=metric, group=group, value=value, low=low, high=high, n=n,
                plan_hash=new_id(),
            )
        )  # fmt: skip


def add_model(workspace, name):
    """Keep weights of chance, whose header says this name, under it; returns their reference."""
    header = Header(
        architecture="patch_transformer", options={"size": 32, "text_width": 384}, recipe="flow", run=name, ema="short"
    )
    path = workspace.path / "tmp" / f"{name}.safetensors"
    write_checkpoint(path, {"weight": np.zeros((2, 2), np.float32)}, header)
    sha256 = workspace.store.put_file(path)
    with workspace.write() as session:
        row = Checkpoint(id=new_id(), content_hash=sha256, samples_seen=0, ema="short", header=header.model_dump())
        session.add_all([row, Model(name=name, checkpoint_id=row.id)])
        return row.ref
