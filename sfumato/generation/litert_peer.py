"""Turns an exported program into a LiteRT model and runs it, in a process and an environment of its own.

It is run by its path and imports nothing of Sfumato: PEER FOLDER, where the folder holds `program.pt2` (torch.export)
and `given.npz` (its inputs by name, in their order). It writes `model.tflite`, `drawn.npy` (what LiteRT's interpreter
draws from those inputs) and, as the last line of its output, one JSON object: {"size", "inputs"} or {"problem"}.
"""

import json
import os
import sys
from importlib import import_module
from typing import Any


def convert(folder: str) -> dict[str, Any]:
    """Write the model, draw with it, and tell its size in bytes and its inputs' shapes."""
    torch, numpy = import_module("torch"), import_module("numpy")
    litert_torch = import_module("litert_torch")
    interpreter = import_module("ai_edge_litert.interpreter").Interpreter
    given = dict(numpy.load(os.path.join(folder, "given.npz"), allow_pickle=False))

    class Named(torch.nn.Module):  # type: ignore[name-defined]
        """The program with its inputs by name, which an exported one has lost."""

        def __init__(self) -> None:
            super().__init__()
            self.inner = torch.export.load(os.path.join(folder, "program.pt2")).module()

        def forward(self, z: Any, text: Any, text_mask: Any) -> Any:
            """As the generator: noise, words, and which of them there are."""
            return self.inner(z, text, text_mask)

    example = {name: torch.from_numpy(one) for name, one in given.items()}
    path = os.path.join(folder, "model.tflite")
    litert_torch.convert(Named(), sample_kwargs=example).export(path)
    run = interpreter(path)
    drawn = next(iter(run.get_signature_runner()(**given).values()))
    numpy.save(os.path.join(folder, "drawn.npy"), drawn)
    return {"size": os.path.getsize(path), "inputs": {name: list(one.shape) for name, one in given.items()}}


def main() -> None:
    """Do it, and say how it went on the last line."""
    out = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what libraries print goes where complaints go
    try:
        told = convert(sys.argv[1])
    except Exception as problem:  # whatever it is, the other side has to say it in words
        told = {"problem": f"{type(problem).__name__}: {problem}"[:500]}
    out.write(json.dumps(told) + "\n")


if __name__ == "__main__":
    main()
