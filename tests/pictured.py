"""A model that comes along, as after installing: real in shape, with weights of chance, and a small training card."""

from pathlib import Path

import numpy as np
import pytest

from tests.drawn import COLOURS, SHAPES, STYLES, draw

SHAPE = {"size": 32, "patch": 4, "width": 192, "depth": 8}


_made: list[Path] = []


@pytest.fixture(scope="session")
def embedded(tmp_path_factory) -> Path:
    """The folder of a model and its card, made once for all rooms' tests."""
    if not _made:
        _made.append(make_embedded(tmp_path_factory.mktemp("embedded")))
    return _made[0]


def make_embedded(folder: Path) -> Path:
    """Write a model of the shape of a graph that ships, and its card, into a folder."""
    import torch

    from sfumato.checkpoints.header import Header, write_checkpoint
    from sfumato.models.architectures import patch_transformer

    options = patch_transformer.Options(**SHAPE)
    torch.manual_seed(0)
    tensors = {}
    for name, values in patch_transformer.build(options).named_parameters():
        values = values if values.abs().sum() else torch.randn_like(values) * 0.02  # nothing is left at zero
        tensors[name] = values.detach().numpy()
    data = {"name": "drawn@0123", "content_hash": "ab" * 32}
    header = Header(architecture="patch_transformer", options=options.model_dump(), recipe="flow", data=data)
    write_checkpoint(folder / "model.safetensors", tensors, header, half=True)
    write_small_card(folder / "card.zip")
    return folder


def write_small_card(path: Path) -> None:
    """A card of every coloured shape in every style but one, which is held out."""
    from sfumato.checkpoints.card import write_card
    from sfumato.features.encoders import minilm
    from sfumato.features.look import describe, learn_basis

    items, pictures = [], []
    for colour, ink in COLOURS.items():
        for shape in SHAPES:
            for style, (licence, author) in STYLES.items():
                name = f"{colour} {shape}"
                split = "heldout_pair" if (name, style) == ("red disc", "plain") else "train"
                items.append({
                    "sha256": "00" * 32, "name": name, "tags": [shape, "thing"], "style": style, "category": "shapes",
                    "concept": name, "licence": licence, "author": author, "source": "folder drawn",
                    "source_version": "", "url": "", "split": split,
                })  # fmt: skip
                picture = np.asarray(draw(shape, ink, style)).astype(np.float32)
                picture[..., :3] *= picture[..., 3:] / 255
                pictures.append(picture.astype(np.uint8))
    stacked = np.stack(pictures)
    basis = learn_basis(stacked)
    names = sorted({str(item["name"]) for item in items})
    sources = [
        {"source": "folder drawn", "version": "", "licence": licence, "author": author, "style": style, "n": 12}
        for style, (licence, author) in STYLES.items()
    ]
    write_card(
        path,
        summary={
            "dataset": "drawn@0123", "size": SHAPE["size"], "n_train": len(items) - 1, "sources": sources,
            "copy_distance": 0.1,
        },
        items=items, pictures=stacked, names=names, name_embeddings=minilm.encode(names),
        features=describe(stacked, basis), basis=basis,
    )  # fmt: skip


@pytest.fixture
def studio_folder(tmp_path, monkeypatch) -> Path:
    """The folder of a workspace that does not exist yet, where commands find it."""
    monkeypatch.setenv("SFUMATO_WORKSPACE", str(tmp_path / "studio"))
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[1]))
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    return tmp_path / "studio"


@pytest.fixture
def pictured(studio_folder, embedded, monkeypatch, place):
    """An empty workspace beside a model that came along: no dataset, no run."""
    from sfumato.actions import Workspace
    from sfumato.checkpoints import models

    if url := place(studio_folder).database_url:
        monkeypatch.setenv("SFUMATO_DATABASE_URL", url)
    monkeypatch.setattr(models, "EMBEDDED", embedded)
    with Workspace.open() as workspace:
        yield workspace
