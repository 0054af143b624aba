"""Writing the graph of a network's shape without its weights; needs torch, onnx and onnxscript.

    python -m sfumato.generation.export CHECKPOINT
"""

import sys
import tempfile
from pathlib import Path

import torch

from sfumato.checkpoints.header import read_header
from sfumato.generation.engines.onnx_local import graph_path
from sfumato.generation.engines.torch_local import build


def export_graph(checkpoint: Path) -> Path:
    """Export a checkpoint's network and strip its weights, which stay named as in the safetensors."""
    import onnx

    header = read_header(checkpoint)
    net = build(header, checkpoint)
    named = {name for name, _ in net.named_parameters()}
    size, length, width = (int(header.options[name]) for name in ("size", "text_length", "text_width"))
    shapes = ((2, 4, size, size), (2,), (2, length, width), (2, length), (2, 4, size, size), (2,))
    given = tuple(torch.rand(shape) for shape in shapes)  # one tensor given twice would become one input
    names = ["x", "t", "text", "text_mask", "reference", "reference_on"]
    batch = torch.export.Dim("batch")
    with tempfile.TemporaryDirectory() as folder:
        whole = Path(folder) / "whole.onnx"
        torch.onnx.export(
            net, given, whole, input_names=names, output_names=["drawn"], dynamo=True, optimize=False,
            external_data=False, dynamic_shapes=tuple({0: batch} for _ in names), verbose=False,
        )  # fmt: skip
        model = onnx.load(whole)
    for tensor in model.graph.initializer:
        if tensor.name in named:
            tensor.ClearField("raw_data")
            tensor.data_location = onnx.TensorProto.EXTERNAL
            del tensor.external_data[:]
            for key, value in (("location", "weights"), ("offset", "0"), ("length", "0")):
                tensor.external_data.add(key=key, value=value)
    for thing in (*model.graph.node, *model.graph.value_info, model):
        thing.ClearField("doc_string")
        if thing is not model:
            del thing.metadata_props[:]
    target = graph_path(header.architecture, header.options)
    target.parent.mkdir(exist_ok=True)
    target.write_bytes(model.SerializeToString())
    return target


if __name__ == "__main__":
    print(export_graph(Path(sys.argv[1])))
