"""Environments of the peers: made once under bench/.peers, apart from ours, by the ordinary installer."""

import os
import subprocess
import sys
from pathlib import Path

from measure import ROOT, say

PEERS = ROOT / "bench" / ".peers"
# Installed one group after the other: torch alone first, so that nothing else chooses its build.
WANTED = {
    "diffusers": (("torch==2.13.0",), ("diffusers==0.42.1", "transformers==5.24.0")),
    # torchvision is asked for with torch, so that it is the one of that version; it is a build for GPUs, of which
    # train_lucidrains.py loads the part that opens pictures.
    "lucidrains": (
        ("torch==2.13.0",),
        ("torch==2.13.0", "denoising-diffusion-pytorch==2.3.4", "accelerate==1.15.0", "ema-pytorch==0.8.3", "pydantic"),
    ),
    "cleanvision": (("cleanvision==0.3.7",),),
    "imagededup": (
        ("Pillow", "tqdm", "scikit-learn", "PyWavelets", "matplotlib"),
        ("--no-deps", "imagededup==0.3.3"),  # without torch and torchvision, which only its network needs
    ),
}  # fmt: skip


def ensure(name: str) -> Path:
    """The python of a peer's environment, made on the first call and again when its versions have changed."""
    folder = PEERS / name
    python = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    mark, wanted = folder / ".ok", repr(WANTED[name])
    if mark.exists() and mark.read_text(encoding="utf-8") == wanted:
        return python
    say(f"Making an environment for {name} in {folder.relative_to(ROOT)}. This takes some minutes once.")
    subprocess.run([sys.executable, "-m", "venv", folder], check=True)
    for group in WANTED[name]:
        subprocess.run([python, "-m", "pip", "install", "-q", "--disable-pip-version-check", *group], check=True)
    mark.write_text(wanted, encoding="utf-8")
    return python


def environment() -> dict[str, str]:
    """What a peer sees: the shell's environment, without ours, and never a hub."""
    found = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    return found | {"PYTHONPATH": str(ROOT / "bench"), "HF_HUB_OFFLINE": "1"}
