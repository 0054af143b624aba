"""The doors open fast: what they import never brings the heavy libraries along."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
HEAVY = {
    "torch", "onnxruntime", "onnx", "transformers", "c2pa", "tokenizers", "scipy", "resvg_py", "vl_convert", "lance",
}  # fmt: skip
NOT_FOR_HELP = HEAVY | {"sqlalchemy", "alembic", "numpy", "PIL", "cryptography", "pydantic"}


def light_modules() -> list[str]:
    doors = (ROOT / "sfumato/cli").glob("*.py")
    records = (ROOT / "sfumato").glob("*/records.py")
    leaves = (ROOT / "sfumato").glob("*.py")
    paths = [path for path in [*doors, *records, *leaves] if path.stem not in ("__init__", "__main__")]
    return sorted(".".join(path.relative_to(ROOT).with_suffix("").parts) for path in paths)


def loaded_after(code: str, *arguments: str) -> set[str]:
    """Run code in a fresh Python and return the top-level modules it has loaded."""
    tell = "\nimport sys, json; print('\\n' + json.dumps([name.split('.')[0] for name in sys.modules]))"
    done = subprocess.run(
        [sys.executable, "-c", code + tell, *arguments],
        cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True,
    )
    assert done.returncode == 0, done.stderr
    return set(json.loads(done.stdout.splitlines()[-1]))


@pytest.mark.whole
@pytest.mark.parametrize("module", light_modules())
def test_a_door_and_a_rooms_records_load_no_heavy_library(module):
    assert not loaded_after(f"import {module}") & HEAVY


def test_help_loads_neither_database_nor_pictures():
    code = "import sys; from sfumato.cli.entry import main; main(['--help'])"
    assert not loaded_after(code) & NOT_FOR_HELP


def test_importing_the_library_loads_nothing_until_a_name_is_used():
    assert not loaded_after("import sfumato; dir(sfumato)") & NOT_FOR_HELP
