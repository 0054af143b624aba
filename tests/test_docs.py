"""The docs say what the code does: pages are fresh, links lead somewhere, and marked examples run."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from typer.core import TyperGroup

from docs import write

ROOT = Path(__file__).parents[1]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
# ```python run   or   ```sh run   marks a block that is executed; with `whole` after it, by the longer tests.
BLOCK = re.compile(r"^```(python|sh) run( whole)?\n(.*?)^```", re.MULTILINE | re.DOTALL)
BLOCKS = [
    pytest.param(language, code, id=f"{page.relative_to(ROOT)}:{number}", marks=[pytest.mark.whole] if whole else [])
    for page in PAGES
    for number, (language, whole, code) in enumerate(BLOCK.findall(page.read_text(encoding="utf-8")), 1)
]


@pytest.mark.parametrize("path", list(write.PAGES), ids=lambda path: path.name)
def test_what_is_written_from_the_code_is_fresh(path):
    assert path.read_text(encoding="utf-8") == write.PAGES[path](), "stale: run `python -m docs.write`"


@pytest.mark.parametrize("page", PAGES, ids=[str(page.relative_to(ROOT)) for page in PAGES])
def test_links_between_pages_lead_somewhere(page):
    text = page.read_text(encoding="utf-8")
    targets = [target.split("#")[0] for target in re.findall(r"\]\(([^)\s]+)\)", text)]
    gone = [t for t in targets if t and "://" not in t and not (page.parent / t).exists()]
    assert not gone


def test_every_command_has_an_example_in_its_help():
    silent = [path for path, command in write.commands()
              if not isinstance(command, TyperGroup) and path not in (command.help or "")]
    assert not silent


def test_every_setting_is_documented():
    names = re.findall(r"SFUMATO_[A-Z_]+", "".join(p.read_text() for p in (ROOT / "sfumato").rglob("*.py")))
    told = (ROOT / "docs/install.md").read_text(encoding="utf-8")
    assert not {name for name in names if f"`{name}`" not in told}


@pytest.mark.parametrize(("language", "code"), BLOCKS)
def test_an_example_marked_as_run_runs(language, code, tmp_path):
    program = [sys.executable, "-c", code] if language == "python" else ["bash", "-euo", "pipefail", "-c", code]
    bin_folder = tmp_path / "bin"
    bin_folder.mkdir()
    door = bin_folder / "sfumato"
    door.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m sfumato "$@"\n')
    door.chmod(0o755)
    environment = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "PATH": f"{bin_folder}:{os.environ['PATH']}",
        "SFUMATO_WORKSPACE": str(tmp_path / "studio"),
        "HOME": str(tmp_path),
    }
    done = subprocess.run(program, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=240)
    assert done.returncode == 0, done.stdout + done.stderr
