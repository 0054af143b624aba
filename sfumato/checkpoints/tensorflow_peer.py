"""Draws with a generator of Keras or TensorFlow, in a process and an environment of its own.

It is run by its path and imports nothing of Sfumato: PEER MODEL, where the model is a .keras file or a SavedModel's
folder. On standard input comes one JSON object a line, {"z": FILE, "out": FILE} or {"look": SEED}; on standard output
go {"done": true}, with a look also {"latent", "shape", "lowest", "highest", "parameters"}, or {"problem": ...}.
"""

import json
import os
import sys
from importlib import import_module
from typing import Any

LOOKED = 8  # drawings by which a look tells the range of values
FEW = {"float32", "float16", "bfloat16"}


class Generator:
    """A function of noise (B, latent) alone."""

    def __init__(self, path: str) -> None:
        os.environ["KERAS_BACKEND"] = "tensorflow"
        self.tf = import_module("tensorflow")
        if path.endswith(".keras"):
            model = import_module("keras").saving.load_model(path, compile=False, safe_mode=True)
            shapes = [tuple(one.shape) for one in model.inputs]
            self.call = lambda z: model(z, training=False)
            self.parameters = int(model.count_params())
        else:
            loaded = self.tf.saved_model.load(path)
            if not loaded.signatures:
                raise ValueError("it has no signature that could be called")
            name = "serving_default" if "serving_default" in loaded.signatures else sorted(loaded.signatures)[0]
            call = loaded.signatures[name]
            given = call.structured_input_signature[1]
            shapes = [tuple(one.shape) for one in given.values()]
            first = next(iter(given), "")
            self.call = lambda z: next(iter(call(**{first: z}).values()))
            self.parameters = sum(int(import_module("numpy").prod(one.shape)) for one in call.variables)
            self.loaded = loaded  # what it holds would be freed with it
        if len(shapes) != 1 or len(shapes[0]) != 2 or not shapes[0][1]:
            raise ValueError(f"it takes {shapes}, where one input of shape (B, latent) is wanted")
        self.latent = int(shapes[0][1])

    def draw(self, z: Any) -> Any:
        """Pictures (B, S, S, C) of noise (B, latent), float32."""
        drawn = self.call(self.tf.constant(z))
        if drawn.dtype.name not in FEW or len(drawn.shape) != 4 or drawn.shape[-1] not in (1, 3, 4):
            raise ValueError(f"it draws {drawn.dtype.name} of shape {tuple(drawn.shape)}, not (B, S, S, 1, 3 or 4)")
        return self.tf.cast(drawn, "float32").numpy()

    def look(self, seed: int) -> dict[str, Any]:
        """What it takes and gives, told from a few drawings."""
        z = import_module("numpy").random.default_rng(seed).standard_normal((LOOKED, self.latent)).astype("float32")
        drawn = self.draw(z)
        return {
            "latent": self.latent, "shape": list(drawn.shape[1:]), "lowest": float(drawn.min()),
            "highest": float(drawn.max()), "parameters": self.parameters,
        }  # fmt: skip


def main() -> None:
    """Load the model, then do what is asked for until there is no more."""
    out = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)  # what libraries print goes where complaints go
    try:
        generator = Generator(sys.argv[1])
        numpy = import_module("numpy")
        for line in sys.stdin:
            asked = json.loads(line)
            if "look" in asked:
                told = generator.look(int(asked["look"]))
            else:
                numpy.save(asked["out"], generator.draw(numpy.load(asked["z"], allow_pickle=False)))
                told = {}
            out.write(json.dumps({**told, "done": True}) + "\n")
    except Exception as problem:  # whatever it is, the other side has to say it in words
        out.write(json.dumps({"problem": f"{type(problem).__name__}: {problem}"[:500]}) + "\n")
        sys.exit(1)


if __name__ == "__main__":
    main()
