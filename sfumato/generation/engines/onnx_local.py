"""Drawing with onnxruntime, without torch: a graph without weights, filled from the same safetensors."""

import os
from pathlib import Path
from typing import Any

import numpy as np

from sfumato.checkpoints.adapters import read_whole
from sfumato.checkpoints.header import Header, read_header
from sfumato.errors import Damaged, Unsupported

GRAPHS = Path(__file__).parent / "graphs"
SHAPE = ("size", "times", "patch", "width", "depth")
QUIET = 3  # onnxruntime's level "error": its warnings on folding constants help nobody here


class Filled:
    """A graph that ships with Sfumato, filled with a checkpoint's weights: named arrays in, one array out."""

    def __init__(self, path: Path, *, threads: int = 0) -> None:
        import onnxruntime

        self.header = read_header(path)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads or processors()
        options.log_severity_level = QUIET
        # threads that spin while they wait cost half as much again, and gain next to nothing on two processors
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        # the next level gains nothing on these networks and takes longer to load
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_EXTENDED
        self._weights = {  # kept alive: the session reads them in place
            name: onnxruntime.OrtValue.ortvalue_from_numpy(np.ascontiguousarray(values))
            for name, values in read_whole(path).items()
        }
        options.add_external_initializers(list(self._weights), list(self._weights.values()))
        graph = find_graph(self.header)
        try:
            self._session: Any = onnxruntime.InferenceSession(str(graph), options, providers=["CPUExecutionProvider"])
        except Exception as problem:  # onnxruntime has a kind of its own for each of its states
            raise Damaged(f"{path.name} does not hold the network that its header describes.") from problem

    def __call__(self, given: dict[str, np.ndarray]) -> np.ndarray:
        drawn: np.ndarray = self._session.run(None, given)[0]
        return drawn


class Loaded:
    """A network of onnxruntime as a function of arrays."""

    def __init__(self, path: Path, *, threads: int = 0) -> None:
        self._graph = Filled(path, threads=threads)
        self.size = int(self._graph.header.options["size"])

    def __call__(
        self, z: np.ndarray, t: float, words: np.ndarray, words_on: np.ndarray, reference: np.ndarray, on: np.ndarray
    ) -> np.ndarray:
        given = {
            "x": z.astype(np.float32, copy=False),
            "t": np.full(len(z), t, np.float32),
            "text": words,
            "text_mask": words_on,
            "reference": reference,
            "reference_on": on,
        }
        return self._graph(given)


def processors() -> int:
    """How many processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def graph_path(architecture: str, options: dict[str, Any]) -> Path:
    """Where the graph of a network's shape lies, or would lie."""
    return GRAPHS / f"{architecture}-{'-'.join(str(options[name]) for name in SHAPE if name in options)}.onnx"


def find_graph(header: Header) -> Path:
    """The graph of a checkpoint's shape; raises Unsupported where none ships."""
    graph = graph_path(header.architecture, header.options)
    if not graph.exists():
        raise Unsupported(
            "There is no graph for a network of this shape, so it cannot be drawn without torch.",
            hint="pip install 'sfumato[train]'",
        )
    return graph


def load(path: Path) -> Loaded:
    """Load a checkpoint for whose shape a graph ships with Sfumato; raises Unsupported otherwise."""
    return Loaded(path)
