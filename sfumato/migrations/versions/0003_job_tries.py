"""Jobs count the attempts that died without getting further."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Add the count and the mark that it is counted from."""
    with op.batch_alter_table("job") as batch:
        batch.add_column(sa.Column("tries", sa.Integer(), server_default="0", nullable=False))
        batch.add_column(sa.Column("furthest", sa.Float(), server_default="0", nullable=False))
