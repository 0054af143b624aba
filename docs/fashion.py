"""Turn Fashion-MNIST, as Debian's package dataset-fashion-mnist installs it, into a folder to collect.

python -m docs.fashion FOLDER [EACH] writes EACH pictures of each of the ten classes (all of them by default) from the
package's training part as PNG of 32 x 32, with their names, licence and author in metadata.jsonl beside them. Each is
a thing of its own there, so that what is held out is a twentieth of all pictures and not one of the ten classes.
"""

import gzip
import json
import sys
from pathlib import Path

import numpy as np
from PIL import Image

PACKAGE = Path("/usr/share/datasets/fashion-mnist")
NAMES = (
    "t-shirt", "trousers", "pullover", "dress", "coat", "sandal", "shirt", "trainer", "bag", "ankle boot",
)  # fmt: skip
SIDE = 32


def read(part: str) -> tuple[np.ndarray, np.ndarray]:
    """Pictures (N, 28, 28) uint8 and their classes (N) of the part `train` or `t10k`."""
    with gzip.open(PACKAGE / f"{part}-images-idx3-ubyte.gz") as stream:
        pictures = np.frombuffer(stream.read(), np.uint8, offset=16).reshape(-1, 28, 28)
    with gzip.open(PACKAGE / f"{part}-labels-idx1-ubyte.gz") as stream:
        return pictures, np.frombuffer(stream.read(), np.uint8, offset=8)


def framed(pictures: np.ndarray) -> np.ndarray:
    """Pictures (N, 28, 28) in the middle of black ones of SIDE x SIDE."""
    edge = (SIDE - pictures.shape[1]) // 2
    return np.pad(pictures, ((0, 0), (edge, edge), (edge, edge)))


def main(folder: Path, each: int) -> None:
    """Write the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    pictures, classes = read("train")
    lines = []
    for kind, name in enumerate(NAMES):
        for number in np.flatnonzero(classes == kind)[:each]:
            file_name = f"{name.replace(' ', '-')}-{number:05d}.png"
            Image.fromarray(framed(pictures[number : number + 1])[0]).convert("RGB").save(folder / file_name)
            own = {"file_name": file_name, "text": name, "category": name, "concept": f"{name} {number}"}
            lines.append(json.dumps(own | {"style": "photo", "licence": "MIT", "author": "Zalando SE"}))
    (folder / "metadata.jsonl").write_text("\n".join(lines))


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 10**9)
