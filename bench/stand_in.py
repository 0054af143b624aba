"""A network of any shape with random weights, and a small card: to know the latency of a shape before training it.

python bench/stand_in.py FOLDER SIZE-PATCH-WIDTH-DEPTH
"""

import sys
from pathlib import Path

import numpy as np
import torch

from sfumato.checkpoints.card import write_card
from sfumato.checkpoints.header import Header, write_checkpoint
from sfumato.features.encoders import minilm
from sfumato.models.architectures import patch_transformer

NAMES = ["red apple", "green tree", "blue car"]
STYLES = ["noto", "fluent-flat"]


def write_model(path: Path, shape: dict[str, int]) -> None:
    """A checkpoint whose every weight is random, those that start at zero too."""
    torch.manual_seed(0)
    options = patch_transformer.Options(**shape)
    net = patch_transformer.build(options)
    weights = {
        name: (weight if weight.abs().sum() > 0 else torch.randn_like(weight) * 0.02).detach().numpy()
        for name, weight in net.named_parameters()
    }
    header = Header(architecture="patch_transformer", options=options.model_dump(), recipe="flow", run="random weights")
    write_checkpoint(path, weights, header, half=True)


def write_small_card(path: Path, size: int) -> None:
    """A card of six plain pictures."""
    items = [
        {"name": name, "style": style, "split": "train", "tags": [], "licence": "CC0-1.0", "author": "nobody"}
        for name in NAMES
        for style in STYLES
    ]
    sources = [{"style": style, "author": "nobody", "licence": "CC0-1.0"} for style in STYLES]
    colours = np.random.default_rng(0).integers(0, 256, (len(items), 1, 1, 4), np.uint8)
    write_card(
        path,
        summary={"sources": sources, "copy_distance": 0.1, "n": len(items)},
        items=items,
        pictures=np.broadcast_to(colours, (len(items), size, size, 4)).copy(),
        names=NAMES,
        name_embeddings=minilm.encode(NAMES),
        features=np.zeros((len(items), 4), np.float32),
        basis={},
    )


def main() -> None:
    """Write both files."""
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    shape = dict(zip(("size", "patch", "width", "depth"), map(int, sys.argv[2].split("-")), strict=True))
    write_small_card(folder / "card.zip", shape["size"])
    write_model(folder / "model.safetensors", shape)


if __name__ == "__main__":
    main()
