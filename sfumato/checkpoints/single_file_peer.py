"""Writes a single file of Stable Diffusion or SDXL as a folder of diffusers, in a process of its own.

It is run by its path and imports nothing of Sfumato: PEER OUT, and on standard input one line {"file", "like", "half"}.
`like` is a folder of the same class, which gives settings, scheduler and tokenizers; no weights of it are used. On
standard output goes {"done": true}, or {"problem": ...}.
"""

import json
import os
import sys
from importlib import import_module
from typing import Any


def convert(out: str, asked: dict[str, Any]) -> None:
    """Read the file's weights by the settings of the folder, and write the pipeline whole; nothing is fetched."""
    torch, diffusers = import_module("torch"), import_module("diffusers")
    with open(os.path.join(asked["like"], "model_index.json"), encoding="utf-8") as stream:
        name = json.load(stream)["_class_name"]
    precision = torch.float16 if asked["half"] else torch.float32
    pipe = getattr(diffusers, name).from_single_file(
        asked["file"], config=asked["like"], local_files_only=True, torch_dtype=precision
    )
    pipe.save_pretrained(out, safe_serialization=True)


def main() -> None:
    """Convert what is asked for, once."""
    said = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)  # what libraries print goes where complaints go
    try:
        convert(sys.argv[1], json.loads(sys.stdin.readline()))
        said.write(json.dumps({"done": True}) + "\n")
    except Exception as problem:  # whatever it is, the other side has to say it in words
        said.write(json.dumps({"problem": f"{type(problem).__name__}: {problem}"[:500]}) + "\n")
        sys.exit(1)


if __name__ == "__main__":
    main()
