"""Other people's libraries in a process, and where need be in an environment, of their own.

A peer is a script that imports nothing of Sfumato and is run by its path. It is told one JSON object a line, and
answers in the same way; {"problem": ...} is the last that it says.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import weakref
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import IO, Any

from sfumato.errors import Damaged, Unsupported
from sfumato.settings import read_settings

DIFFUSERS = "pip install torch diffusers transformers accelerate sentencepiece"
OFFLINE = {"HF_HUB_OFFLINE": "1", "TRANSFORMERS_OFFLINE": "1", "HF_HUB_DISABLE_TELEMETRY": "1"}
HANDED = ("PATH", "HOME", "TMPDIR", "LANG", "LD_LIBRARY_PATH", "OMP_NUM_THREADS", "CUDA_VISIBLE_DEVICES", "SYSTEMROOT")


@dataclass
class Peer:
    """A script run by `python` on `target`, begun when it is first asked; `library` is what it draws with."""

    python: Path
    script: Path
    target: Path
    library: str
    needed: str  # what to install
    memory_gb: float = 0.0
    settings: Mapping[str, str] = field(default_factory=dict)
    _process: "subprocess.Popen[str] | None" = None
    _said: "IO[str] | None" = None

    def ask(self, asked: dict[str, Any]) -> None:
        """Tell it what to do; what it says to that is heard by `hear`."""
        process = self._begun()
        assert process.stdin is not None
        try:
            process.stdin.write(json.dumps(asked) + "\n")
            process.stdin.flush()
        except BrokenPipeError:
            raise self._ended(process) from None

    def hear(self) -> dict[str, Any]:
        """The next thing that it says; raises Unsupported or Damaged in words where it has a problem or has ended."""
        process = self._process
        assert process is not None and process.stdout is not None, "it is asked before it is heard"  # noqa: PT018
        line = process.stdout.readline()
        if not line:
            raise self._ended(process)
        told: dict[str, Any] = json.loads(line)
        if "problem" in told:
            self.close()
            if "ModuleNotFoundError" in told["problem"]:
                raise Unsupported(
                    f"{self.python} cannot draw with {self.library}: {told['problem']}.", hint=self.needed
                )
            raise Damaged(f"{self.library} cannot draw with this: {told['problem']}.", hint="Was it taken in whole?")
        return told

    def close(self) -> None:
        """End the process."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
        self._process = None

    def _begun(self) -> "subprocess.Popen[str]":
        if self._process is None or self._process.poll() is not None:
            self._said = tempfile.TemporaryFile("w+")  # noqa: SIM115
            handed = {name: os.environ[name] for name in HANDED if name in os.environ} | dict(self.settings)
            run = [str(self.python), "-I", str(self.script), str(self.target)]
            self._process = subprocess.Popen(
                run, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._said, text=True, env=handed
            )
            weakref.finalize(self, self._process.kill)
        return self._process

    def _ended(self, process: "subprocess.Popen[str]") -> Damaged:
        code = process.wait()
        self._process = None
        if self._said is not None:
            self._said.seek(0)
        last = (self._said.read() if self._said else "").strip().splitlines()[-1:]
        hint = f"It takes about {self.memory_gb:,.1f} GB of memory; free some." if code == -9 else "; ".join(last)
        return Damaged(f"The process that draws with {self.library} ended by itself, with {code}.", hint=hint)


def diffusers_python() -> Path:
    """The Python that has diffusers: the one that is set, else this one; raises Unsupported, saying what to install."""
    said = named_python(read_settings().diffusers_python, "SFUMATO_DIFFUSERS_PYTHON")
    if said is not None:
        return said
    if find_spec("diffusers") is None or find_spec("torch") is None:
        raise Unsupported(
            "This model needs diffusers, which is not installed.",
            hint=f"{DIFFUSERS}, here or in an environment whose python SFUMATO_DIFFUSERS_PYTHON names.",
        )
    return Path(sys.executable)


def named_python(said: Path | None, setting: str) -> Path | None:
    """The Python that a setting names, None where it names none; raises Unsupported where it cannot be run."""
    if said is not None and shutil.which(said) is None:
        raise Unsupported(f"{setting} names {said}, which cannot be run.", hint="Correct or unset it.")
    return said
