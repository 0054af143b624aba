"""Tables of requests, pictures as drawn, and pictures that left."""

import sqlalchemy as sa
from alembic import op

from sfumato.db.records import UTC

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Make the three tables."""
    op.create_table('image',
    sa.Column('request_id', sa.String(36), nullable=False),
    sa.Column('place', sa.Integer(), nullable=False),
    sa.Column('seed', sa.BigInteger(), nullable=False),
    sa.Column('sha256', sa.String(64), nullable=False),
    sa.Column('width', sa.Integer(), nullable=False),
    sa.Column('height', sa.Integer(), nullable=False),
    sa.Column('reference', sa.JSON(), nullable=True),
    sa.Column('id', sa.String(36), nullable=False),
    sa.Column('made_at', UTC(timezone=True), nullable=False),
    sa.Column('made_by', sa.String(200), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_image')),
    sa.UniqueConstraint('request_id', 'place', name=op.f('uq_image_request_id'))
    )
    op.create_index(op.f('ix_image_request_id'), 'image', ['request_id'], unique=False)
    op.create_index(op.f('ix_image_sha256'), 'image', ['sha256'], unique=False)
    op.create_table('published',
    sa.Column('image_id', sa.String(36), nullable=False),
    sa.Column('sha256', sa.String(64), nullable=False),
    sa.Column('file_name', sa.String(200), nullable=False),
    sa.Column('mime', sa.String(40), nullable=False),
    sa.Column('background', sa.String(20), nullable=False),
    sa.Column('id', sa.String(36), nullable=False),
    sa.Column('made_at', UTC(timezone=True), nullable=False),
    sa.Column('made_by', sa.String(200), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_published'))
    )
    op.create_index(op.f('ix_published_image_id'), 'published', ['image_id'], unique=False)
    op.create_index(op.f('ix_published_sha256'), 'published', ['sha256'], unique=False)
    op.create_table('request',
    sa.Column('prompt', sa.Text(), nullable=False),
    sa.Column('private', sa.Boolean(), nullable=False),
    sa.Column('n', sa.Integer(), nullable=False),
    sa.Column('seed', sa.BigInteger(), nullable=False),
    sa.Column('sampler', sa.String(40), nullable=False),
    sa.Column('steps', sa.Integer(), nullable=False),
    sa.Column('guidance', sa.Float(), nullable=False),
    sa.Column('background', sa.String(20), nullable=False),
    sa.Column('upscale', sa.Integer(), nullable=False),
    sa.Column('engine', sa.String(40), nullable=False),
    sa.Column('model', sa.String(100), nullable=False),
    sa.Column('checkpoint_sha256', sa.String(64), nullable=False),
    sa.Column('understood', sa.JSON(), nullable=False),
    sa.Column('id', sa.String(36), nullable=False),
    sa.Column('made_at', UTC(timezone=True), nullable=False),
    sa.Column('made_by', sa.String(200), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_request'))
    )
