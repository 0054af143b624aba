"""Drawing with onnxruntime, without torch: a graph without weights, filled from the same safetensors."""

import os
from pathlib import Path
from typing import Any

import numpy as np

from sfumato.checkpoints.header import read_header, read_tensors
from sfumato.errors import Unsupported

GRAPHS = Path(__file__).parent / "graphs"


class Loaded:
    """A network of onnxruntime as a function of arrays."""

    def __init__(self, path: Path) -> None:
        import onnxruntime

        header = read_header(path)
        self.size = int(header.options["size"])
        graph = graph_path(header.architecture, header.options)
        if not graph.exists():
            raise Unsupported(
                "There is no graph for a network of this shape, so it cannot be drawn without torch.",
                hint="pip install 'sfumato[train]'",
            )
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 0
        self._weights = {  # kept alive: the session reads them in place
            name: onnxruntime.OrtValue.ortvalue_from_numpy(np.ascontiguousarray(values))
            for name, values in read_tensors(path).items()
        }
        options.add_external_initializers(list(self._weights), list(self._weights.values()))
        self._session: Any = onnxruntime.InferenceSession(str(graph), options, providers=["CPUExecutionProvider"])

    def __call__(
        self, z: np.ndarray, t: float, words: np.ndarray, words_on: np.ndarray, reference: np.ndarray, on: np.ndarray
    ) -> np.ndarray:
        given = {
            "x": z.astype(np.float32),
            "t": np.full(len(z), t, np.float32),
            "text": words,
            "text_mask": words_on,
            "reference": reference,
            "reference_on": on,
        }
        return self._session.run(None, given)[0]


def graph_path(architecture: str, options: dict[str, Any]) -> Path:
    """Where the graph of a network's shape lies."""
    shape = "-".join(str(options[name]) for name in ("size", "patch", "width", "depth"))
    return GRAPHS / f"{architecture}-{shape}.onnx"


def load(path: Path) -> Loaded:
    """Load a checkpoint for whose shape a graph ships with Sfumato; raises Unsupported otherwise."""
    return Loaded(path)
