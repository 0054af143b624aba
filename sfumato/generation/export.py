"""Writing the graph of a network's shape without its weights, for those who change a network or its shape.

    pip install onnx onnxscript        # neither is needed to draw
    python -m sfumato.generation.export CHECKPOINT

The graph goes into `engines/graphs`. Its weights stay named as in the safetensors and are filled in from
there at load, so one file holds the numbers for both engines; a test compares what they draw.
"""

import inspect
import sys
import tempfile
from pathlib import Path
from typing import Any

import torch

from sfumato.checkpoints.header import Header, read_header
from sfumato.generation.engines.onnx_local import graph_path
from sfumato.generation.engines.torch_local import ARCHITECTURES, build

OPSET = 18


def export_graph(checkpoint: Path) -> Path:
    """Export a checkpoint's network for any batch and any number of words; returns where the graph lies."""
    header = read_header(checkpoint)
    net = build(header, checkpoint)
    target = graph_path(header.architecture, header.options)
    target.parent.mkdir(exist_ok=True)
    target.write_bytes(without_weights(traced(header, net), {name for name, _ in net.named_parameters()}))
    return target


def traced(header: Header, net: torch.nn.Module) -> Any:
    """The network with its weights as a model of the `onnx` package, for any batch and any number of words."""
    import onnx

    architecture = ARCHITECTURES.get(header.architecture)
    given = architecture.example(architecture.Options.model_validate(header.options), 2)
    taken = inspect.signature(net.forward).parameters.values()
    names = [one.name for one in taken if one.kind is not one.VAR_POSITIONAL]  # those are not looked at
    batch = torch.export.Dim("batch")
    words = torch.export.Dim("words", min=1, max=int(header.options.get("text_length", 2)))
    free = tuple({0: batch, 1: words} if name.startswith("text") else {0: batch} for name in names)
    with tempfile.TemporaryDirectory() as folder:
        whole = Path(folder) / "whole.onnx"
        torch.onnx.export(
            net, given, whole, input_names=names, output_names=["drawn"], dynamo=True, optimize=False,
            external_data=False, dynamic_shapes=free, opset_version=OPSET, verbose=False,
        )  # fmt: skip
        return onnx.load(whole)


def without_weights(model: Any, named: set[str]) -> bytes:
    """The model's bytes with the tensors of these names declared but empty, and without traces of the exporter."""
    import onnx

    for tensor in model.graph.initializer:
        if tensor.name in named:
            tensor.ClearField("raw_data")
            tensor.data_location = onnx.TensorProto.EXTERNAL
            del tensor.external_data[:]
            for key, value in (("location", "weights"), ("offset", "0"), ("length", "0")):
                tensor.external_data.add(key=key, value=value)
    forget_exporter(model)
    data: bytes = model.SerializeToString()
    return data


def forget_exporter(model: Any) -> None:
    """Take away what the exporter noted of its own source files."""
    for thing in (*model.graph.node, *model.graph.value_info, model):
        thing.ClearField("doc_string")
        if thing is not model:
            del thing.metadata_props[:]


if __name__ == "__main__":
    print(export_graph(Path(sys.argv[1])))
