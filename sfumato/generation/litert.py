"""A generator for phones and small devices: a LiteRT model, kept only when its interpreter draws what torch draws.

SFUMATO_LITERT_PYTHON names the interpreter of an environment that has torch, in this one's version, and litert-torch;
it takes 1.8 GB and would not be welcome in every installation.
"""

import json
import os
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from sfumato.checkpoints.models import ModelView
from sfumato.checkpoints.peers import HANDED, named_python
from sfumato.errors import Damaged, Unsupported
from sfumato.settings import read_settings
from sfumato.store.files import write_whole

PEER = Path(__file__).parent / "litert_peer.py"
NEEDED = "In an environment of its own: pip install torch==2.13.0, then pip install litert-torch torch==2.13.0"
TOLERANCE = 1e-5  # largest difference between LiteRT and torch; pixels lie in [-1, 1]
LONGEST = 1_800  # seconds that the conversion may take
SEED = 0


def interpreter() -> Path:
    """The Python that has litert-torch; raises Unsupported, saying what to install, where none is named."""
    said = named_python(read_settings().litert_python, "SFUMATO_LITERT_PYTHON")
    if said is None:
        raise Unsupported(
            "Writing LiteRT needs litert-torch in an environment of its own, and none is named.",
            hint=f"{NEEDED}. Then set SFUMATO_LITERT_PYTHON to its python.",
        )
    return said


def write_litert(model: ModelView, target: Path) -> dict[str, Any]:
    """Write the generator for one picture a call: z (1, latent), text (1, T, D) and text_mask (1, T), all float32.

    Its output is (1, 4, S, S) in [-1, 1], premultiplied RGBA. Returns the largest difference to torch found, what was
    let pass, and the inputs' shapes. Raises Unsupported without the environment, Damaged where it fails or differs.
    """
    import torch

    from sfumato.generation.engines.torch_local import ARCHITECTURES, build

    python, net = interpreter(), build(model.header, model.path)
    architecture = ARCHITECTURES.get(model.header.architecture)
    torch.manual_seed(SEED)
    given = architecture.example(architecture.Options.model_validate(model.header.options), 1)
    with torch.inference_mode():
        expected = net(*given).numpy()
    with tempfile.TemporaryDirectory() as folder:
        here = Path(folder)
        torch.export.save(torch.export.export(net, given), here / "program.pt2")
        names = dict(zip(("z", "text", "text_mask"), given, strict=True))
        np.savez(here / "given.npz", **{name: one.numpy() for name, one in names.items()})
        told = _converted(python, here)
        found = float(np.abs(np.load(here / "drawn.npy", allow_pickle=False) - expected).max())
        if not found <= TOLERANCE:
            raise Damaged(
                f"LiteRT draws something else than torch: {found:.2g} apart, and {TOLERANCE} is let pass.",
                hint="Nothing was written. Take --to onnx, and tell us of the model.",
            )
        write_whole(target, (here / "model.tflite").read_bytes())
    return {"difference": found, "tolerance": TOLERANCE, "inputs": told["inputs"]}


def _converted(python: Path, folder: Path) -> dict[str, Any]:
    """Let the other environment convert and draw; raises in words where it cannot."""
    handed = {name: os.environ[name] for name in HANDED if name in os.environ}
    try:
        ran = subprocess.run(
            [str(python), "-I", str(PEER), str(folder)], capture_output=True, text=True, env=handed, timeout=LONGEST
        )
    except subprocess.TimeoutExpired:
        raise Damaged(f"litert-torch was not done after {LONGEST / 60:.0f} minutes; nothing was written.") from None
    lines = ran.stdout.strip().splitlines()
    told: dict[str, Any] = json.loads(lines[-1]) if lines else {}
    if "ModuleNotFoundError" in told.get("problem", ""):
        raise Unsupported(f"{python} cannot write LiteRT: {told['problem']}.", hint=NEEDED)
    if "inputs" not in told:
        why = told.get("problem") or (ran.stderr.strip().splitlines() or [f"it ended with {ran.returncode}"])[-1]
        raise Damaged(f"litert-torch could not convert the model: {why}.", hint="Nothing was written. Take --to onnx.")
    return told
