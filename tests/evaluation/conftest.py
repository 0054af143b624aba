"""A workspace with the sample, its training card at 16 pixels, and a real if untrained model that has the card."""

import json

import numpy as np
import pytest

from sfumato.actions import Workspace
from sfumato.checkpoints.card import open_card
from sfumato.checkpoints.header import Header, write_checkpoint
from sfumato.checkpoints.records import Checkpoint, Model
from sfumato.data.versions import open_version
from sfumato.db import new_id
from sfumato.jobs.worker import LANES, claim
from sfumato.training.cards import make_card
from tests.sample import found

SIZE = 16
TINY = {"size": SIZE, "width": 64, "depth": 1}


@pytest.fixture(scope="session")
def studio(tmp_path_factory):
    """A workspace that holds the frozen sample and its card."""
    folder = tmp_path_factory.mktemp("evaluation")
    pictures = folder / "pictures"
    pictures.mkdir()
    lines = []
    for place, one in enumerate(found()):
        name = f"{place:03d}{one.key[one.key.rindex('.'):]}"
        (pictures / name).write_bytes(one.data)
        said = {"text": one.name, "tags": one.tags, "style": one.style, "licence": one.licence, "author": one.author}
        lines.append(json.dumps({"file_name": name, **said}))
    (pictures / "metadata.jsonl").write_text("\n".join(lines))
    with Workspace.open(folder / "studio") as workspace:
        collect_and_freeze(workspace, pictures)
        version = open_version(workspace, "sample")
        make_card(version, SIZE)
        add_model(workspace, "tiny", version.content_hash)
        add_model(workspace, "cardless", "0" * 64)
        yield workspace


def collect_and_freeze(workspace, pictures):
    from sfumato.data.collect import collect
    from sfumato.data.freeze import freeze

    run(workspace, collect(workspace, source="folder", into="sample", options={"path": str(pictures)}))
    freeze(workspace, name="sample")


def add_model(workspace, name, content_hash):
    """Write an untrained network as a checkpoint with the rows that a run would write."""
    import torch

    from sfumato.models.architectures import patch_transformer

    torch.manual_seed(0)
    options = patch_transformer.Options(**TINY)
    weights = {key: value.numpy() for key, value in patch_transformer.build(options).state_dict().items()}
    header = Header(
        architecture="patch_transformer", options=options.model_dump(), recipe="flow",
        data={"content_hash": content_hash}, run=name,
    )  # fmt: skip
    path = workspace.path / "tmp" / f"{name}.safetensors"
    write_checkpoint(path, {key: np.asarray(value, np.float32) for key, value in weights.items()}, header)
    sha256 = workspace.store.put_file(path)
    with workspace.write() as session:
        row = Checkpoint(id=new_id(), content_hash=sha256, samples_seen=0, ema="short", header=header.model_dump())
        session.add_all([row, Model(name=name, checkpoint_id=row.id)])


def take(workspace, job):
    """Claim a job as a worker would, and return the attempt's number."""
    taken = claim(workspace, "test", LANES, job.id, 60)
    assert taken is not None
    return taken.attempt


def run(workspace, job):
    """Work one job off in this process and return how it ended."""
    from sfumato.jobs.queue import get_job
    from sfumato.jobs.run import run_attempt

    run_attempt(workspace, job.id, take(workspace, job))
    return get_job(workspace, job_id=job.id)


@pytest.fixture(scope="session")
def card(studio):
    """The sample's training card."""
    return open_card(next((studio.path / "cards").glob("*.zip")))
