"""Draw the grids of docs/model.md, picked by nobody: `python -m docs.grid`.

Sixty-four sentences, seeds 0 to 63: half of them name pairs of thing and style that the model has seen, a
quarter pairs it has not, a quarter things it has not. Each group takes names at even steps of the alphabet.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from sfumato.checkpoints.card import Card, open_card
from sfumato.checkpoints.models import EMBEDDED
from sfumato.data.captions import style_words
from sfumato.generation.drawing import Drawn, Plan, draw
from sfumato.generation.engines import onnx_local
from sfumato.generation.enlarging import enlarge
from sfumato.generation.knowledge import understand
from sfumato.generation.publish import on_ground

PICTURES = Path(__file__).parent / "pictures"
GROUPS = {"train": 32, "heldout_pair": 16, "heldout_concept": 16}
FIRST = (
    "a red apple, noto style",
    "a red apple, fluent 3d style",
    "a rocket, noto style",
    "a guitar, noto style",
)


def sentences(card: Card) -> list[str]:
    """The sixty-four sentences, group after group."""
    said = []
    for split, count in GROUPS.items():
        items = sorted(
            (item for item in card.items if item["split"] == split), key=lambda item: (item["name"], item["style"])
        )
        for place in np.linspace(0, len(items) - 1, count).astype(int):
            said.append(f"{items[place]['name']}, {style_words(items[place]['style'])} style")
    return said


def drawn(card: Card, sentence: str, seeds: Sequence[int]) -> list[np.ndarray]:
    """Pictures of a sentence on white, as `sfumato create` makes them, (128, 128, 3) uint8 each."""
    network = onnx_local.load(EMBEDDED / "model.safetensors")
    made = [one for one in draw(network, card, Plan(understand(sentence, card), seeds)) if isinstance(one, Drawn)]
    return [on_ground(enlarge(one.picture, 4).picture, "white") for one in made]


def save(path: Path, rows: Sequence[Sequence[np.ndarray]]) -> None:
    """Write rows of pictures as one PNG of few colours."""
    grid = np.concatenate([np.concatenate(list(row), axis=1) for row in rows])
    path.parent.mkdir(exist_ok=True)
    Image.fromarray(grid).quantize(256).save(path, optimize=True)


def main() -> None:
    """Write the grid, the sentences beside it, and the four rows that the README shows."""
    card = open_card(EMBEDDED / "card.zip")
    said = sentences(card)
    pictures = [drawn(card, sentence, [seed])[0] for seed, sentence in enumerate(said)]
    save(PICTURES / "grid.png", [pictures[start : start + 8] for start in range(0, 64, 8)])
    (PICTURES / "grid.txt").write_text("".join(f"{seed} {sentence}\n" for seed, sentence in enumerate(said)))
    save(PICTURES / "first.png", [drawn(card, sentence, range(8)) for sentence in FIRST])


if __name__ == "__main__":
    main()
