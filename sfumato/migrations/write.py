"""Write the first step anew from the tables that the rooms define, while it is unreleased.

python -m sfumato.migrations.write
"""

import importlib
import pkgutil
from pathlib import Path

from alembic.autogenerate import produce_migrations, render_python_code
from alembic.migration import MigrationContext
from sqlalchemy import create_engine

import sfumato
from sfumato.db import Base

FIRST = Path(__file__).parent / "versions" / "0001_first.py"


def load_all_records() -> None:
    """Import every room's tables, so that the metadata is complete."""
    for room in pkgutil.iter_modules(sfumato.__path__):
        if room.ispkg and (Path(sfumato.__path__[0]) / room.name / "records.py").exists():
            importlib.import_module(f"sfumato.{room.name}.records")
    importlib.import_module("sfumato.db.links")


def write_first() -> None:
    """Replace the first step by one that makes all tables as they are defined now."""
    load_all_records()
    with create_engine("sqlite://").connect() as connection:
        context = MigrationContext.configure(connection, opts={"render_as_batch": False})
        steps = produce_migrations(context, Base.metadata)
    assert steps.upgrade_ops is not None
    body = render_python_code(steps.upgrade_ops).replace("sfumato.db.records.", "").replace("length=", "")
    FIRST.write_text(
        '"""The tables of the first release."""\n\n'
        "import sqlalchemy as sa\nfrom alembic import op\n\nfrom sfumato.db.records import UTC\n\n"
        'revision = "0001"\ndown_revision = None\n\n\n'
        "def upgrade() -> None:\n"
        '    """Make every table."""\n'
        f"    {body}\n"
    )


if __name__ == "__main__":
    write_first()
