"""Write the next step from what the rooms' tables have become since the last one.

python -m sfumato.migrations.write NAME
"""

import argparse
import importlib
import pkgutil
import re
import tempfile
from pathlib import Path

from alembic.autogenerate import produce_migrations, render_python_code
from alembic.migration import MigrationContext
from alembic.operations.ops import UpgradeOps

import sfumato
from sfumato.actions import Workspace
from sfumato.db import Base
from sfumato.db.schema import newest
from sfumato.settings import Settings

VERSIONS = Path(__file__).parent / "versions"


def load_all_records() -> None:
    """Import every room's tables, so that the metadata is complete."""
    for room in pkgutil.iter_modules(sfumato.__path__):
        if room.ispkg and (Path(sfumato.__path__[0]) / room.name / "records.py").exists():
            importlib.import_module(f"sfumato.{room.name}.records")
    importlib.import_module("sfumato.db.links")


def differences() -> UpgradeOps:
    """What separates the tables that all steps together make from those that the rooms define."""
    load_all_records()
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(workspace=Path(folder))
        with Workspace.open(settings=settings) as scratch, scratch.db.engine.connect() as connection:
            steps = produce_migrations(MigrationContext.configure(connection), Base.metadata)
    assert steps.upgrade_ops is not None
    return steps.upgrade_ops


def write_next(name: str) -> Path | None:
    """Write the next step and return its file, to be read before it is committed; None where nothing has changed."""
    found = differences()
    if found.is_empty():
        return None
    before = newest()
    number = f"{int(before) + 1:04d}"
    body = render_python_code(found, render_as_batch=True).replace("sfumato.db.records.", "").replace("length=", "")
    target = VERSIONS / f"{number}_{name}.py"
    target.write_text(
        f'"""{name.replace("_", " ").capitalize()}."""\n\n'
        "import sqlalchemy as sa\nfrom alembic import op\n\nfrom sfumato.db.records import UTC  # noqa: F401\n\n"
        f'revision = "{number}"\ndown_revision = "{before}"\n\n\n'
        "def upgrade() -> None:\n"
        '    """Bring the tables from the step before to this one."""\n'
        f"    {body}\n"
    )
    return target


def main() -> None:
    """Write the next step under the name that was given."""
    parser = argparse.ArgumentParser(description="Write the next step of the schema.")
    parser.add_argument("name", help="what it brings, in letters and underscores")
    name = parser.parse_args().name
    if not re.fullmatch(r"[a-z][a-z_]*", name):
        parser.error("the name may hold small letters and underscores only")
    print(write_next(name) or "The steps make all tables as they are defined.")


if __name__ == "__main__":
    main()
