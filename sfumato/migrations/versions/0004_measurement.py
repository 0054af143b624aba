"""Measurements."""

import sqlalchemy as sa
from alembic import op

from sfumato.db.records import UTC

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Make the table of what was measured."""
    op.create_table('measurement',
    sa.Column('subject', sa.String(120), nullable=False),
    sa.Column('metric', sa.String(60), nullable=False),
    sa.Column('group', sa.String(60), nullable=False),
    sa.Column('value', sa.Float(), nullable=False),
    sa.Column('low', sa.Float(), nullable=False),
    sa.Column('high', sa.Float(), nullable=False),
    sa.Column('n', sa.Integer(), nullable=False),
    sa.Column('plan_hash', sa.String(64), nullable=False),
    sa.Column('details', sa.JSON(), nullable=False),
    sa.Column('id', sa.String(36), nullable=False),
    sa.Column('made_at', UTC(timezone=True), nullable=False),
    sa.Column('made_by', sa.String(200), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_measurement')),
    sa.UniqueConstraint('plan_hash', 'metric', 'group', name=op.f('uq_measurement_plan_hash'))
    )
    op.create_index(op.f('ix_measurement_subject'), 'measurement', ['subject'], unique=False)
