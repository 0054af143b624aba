"""Projects and people.

Everything that is there belongs to the first project, and what was asked in private to who asked.
"""

from datetime import UTC as ZONE
from datetime import datetime

import sqlalchemy as sa
from alembic import op

from sfumato.db.records import UTC

revision = "0005"
down_revision = "0004"

FIRST = "00000000-0000-7000-8000-000000000001"
IN_PROJECT = (
    "checkpoint", "dataset", "dataset_version", "event", "image", "item", "job", "measurement", "model", "published",
    "quarantined", "request", "run",
)  # fmt: skip
MAYBE_PRIVATE = ("event", "image", "job", "published", "request")
OPEN = sa.text("status in ('waiting', 'running')")


def upgrade() -> None:
    """Make the table of projects with its first one, and give every record its project.

    A row that is written without a project by whatever way has none, and no project sees it.
    """
    project = op.create_table('project',
    sa.Column('name', sa.String(100), nullable=False),
    sa.Column('description', sa.Text(), nullable=False),
    sa.Column('archived_at', UTC(timezone=True), nullable=True),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.Column('changed_by', sa.String(200), nullable=False),
    sa.Column('changed_at', UTC(timezone=True), nullable=False),
    sa.Column('id', sa.String(36), nullable=False),
    sa.Column('made_at', UTC(timezone=True), nullable=False),
    sa.Column('made_by', sa.String(200), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_project')),
    sa.UniqueConstraint('name', name=op.f('uq_project_name'))
    )
    made = {"made_at": datetime.now(ZONE), "made_by": "", "changed_at": datetime.now(ZONE), "changed_by": ""}
    first = {"id": FIRST, "name": "studio", "description": "", "version": 1, **made}
    op.bulk_insert(project, [first])
    for name in IN_PROJECT:
        with op.batch_alter_table(name) as batch:
            batch.add_column(sa.Column("project_id", sa.String(36), server_default="", nullable=False))
            if name in MAYBE_PRIVATE:
                batch.add_column(sa.Column("private_to", sa.String(200), server_default="", nullable=False))
        table = sa.table(name, sa.column("project_id"))
        op.execute(table.update().values(project_id=FIRST))
        op.create_index(f"ix_{name}_project", name, ["project_id", "id"])
    keep_private()
    make_people()
    op.drop_index("uq_job_open_key", "job")
    op.create_index("uq_job_open_key", "job", ["project_id", "key"], unique=True, sqlite_where=OPEN, postgresql_where=OPEN)
    with op.batch_alter_table("measurement") as batch:
        batch.drop_constraint("uq_measurement_plan_hash", type_="unique")
        batch.create_unique_constraint("uq_measurement_project_id", ["project_id", "plan_hash", "metric", "group"])


def make_people() -> None:
    """Make the tables of people and of what they sign in with."""
    op.create_table('person',
    sa.Column('name', sa.String(100), nullable=False),
    sa.Column('login', sa.String(200), nullable=True),
    sa.Column('password', sa.String(200), nullable=True),
    sa.Column('owner', sa.Boolean(), nullable=False),
    sa.Column('disabled_at', UTC(timezone=True), nullable=True),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.Column('changed_by', sa.String(200), nullable=False),
    sa.Column('changed_at', UTC(timezone=True), nullable=False),
    sa.Column('id', sa.String(36), nullable=False),
    sa.Column('made_at', UTC(timezone=True), nullable=False),
    sa.Column('made_by', sa.String(200), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_person')),
    sa.UniqueConstraint('login', name=op.f('uq_person_login'))
    )
    op.create_table('membership',
    sa.Column('person', sa.String(36), nullable=False),
    sa.Column('project', sa.String(36), nullable=False),
    sa.Column('roles', sa.JSON(), nullable=False),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.Column('changed_by', sa.String(200), nullable=False),
    sa.Column('changed_at', UTC(timezone=True), nullable=False),
    sa.Column('id', sa.String(36), nullable=False),
    sa.Column('made_at', UTC(timezone=True), nullable=False),
    sa.Column('made_by', sa.String(200), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_membership')),
    sa.UniqueConstraint('person', 'project', name=op.f('uq_membership_person'))
    )
    op.create_index(op.f('ix_membership_project'), 'membership', ['project'], unique=False)
    op.create_table('sign_in',
    sa.Column('person', sa.String(36), nullable=False),
    sa.Column('secret_hash', sa.String(64), nullable=False),
    sa.Column('csrf', sa.String(64), nullable=False),
    sa.Column('used_at', UTC(timezone=True), nullable=False),
    sa.Column('ends_at', UTC(timezone=True), nullable=False),
    sa.Column('user_agent', sa.String(200), nullable=False),
    sa.Column('revoked_at', UTC(timezone=True), nullable=True),
    sa.Column('id', sa.String(36), nullable=False),
    sa.Column('made_at', UTC(timezone=True), nullable=False),
    sa.Column('made_by', sa.String(200), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_sign_in')),
    sa.UniqueConstraint('secret_hash', name=op.f('uq_sign_in_secret_hash'))
    )
    op.create_index(op.f('ix_sign_in_person'), 'sign_in', ['person'], unique=False)
    op.create_table('token',
    sa.Column('person', sa.String(36), nullable=False),
    sa.Column('project', sa.String(36), nullable=False),
    sa.Column('name', sa.String(100), nullable=False),
    sa.Column('prefix', sa.String(12), nullable=False),
    sa.Column('secret_hash', sa.String(64), nullable=False),
    sa.Column('scopes', sa.JSON(), nullable=False),
    sa.Column('expires_at', UTC(timezone=True), nullable=False),
    sa.Column('used_at', UTC(timezone=True), nullable=True),
    sa.Column('revoked_at', UTC(timezone=True), nullable=True),
    sa.Column('id', sa.String(36), nullable=False),
    sa.Column('made_at', UTC(timezone=True), nullable=False),
    sa.Column('made_by', sa.String(200), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_token')),
    sa.UniqueConstraint('secret_hash', name=op.f('uq_token_secret_hash'))
    )
    op.create_index(op.f('ix_token_person'), 'token', ['person'], unique=False)
    op.create_index(op.f('ix_token_project'), 'token', ['project'], unique=False)
    op.create_table('invitation',
    sa.Column('project', sa.String(36), nullable=False),
    sa.Column('secret_hash', sa.String(64), nullable=False),
    sa.Column('roles', sa.JSON(), nullable=False),
    sa.Column('note', sa.String(200), nullable=False),
    sa.Column('expires_at', UTC(timezone=True), nullable=False),
    sa.Column('used_at', UTC(timezone=True), nullable=True),
    sa.Column('used_by', sa.String(36), nullable=True),
    sa.Column('revoked_at', UTC(timezone=True), nullable=True),
    sa.Column('id', sa.String(36), nullable=False),
    sa.Column('made_at', UTC(timezone=True), nullable=False),
    sa.Column('made_by', sa.String(200), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_invitation')),
    sa.UniqueConstraint('secret_hash', name=op.f('uq_invitation_secret_hash'))
    )
    op.create_index(op.f('ix_invitation_project'), 'invitation', ['project'], unique=False)
    op.create_table('owner_code',
    sa.Column('secret_hash', sa.String(64), nullable=False),
    sa.Column('expires_at', UTC(timezone=True), nullable=False),
    sa.Column('used_at', UTC(timezone=True), nullable=True),
    sa.Column('used_by', sa.String(36), nullable=True),
    sa.Column('id', sa.String(36), nullable=False),
    sa.Column('made_at', UTC(timezone=True), nullable=False),
    sa.Column('made_by', sa.String(200), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_owner_code')),
    sa.UniqueConstraint('secret_hash', name=op.f('uq_owner_code_secret_hash'))
    )


def words(name: str, *columns: str) -> sa.TableClause:
    """A table by those of its columns that hold words."""
    return sa.table(name, *(sa.column(column, sa.String()) for column in columns))


def keep_private() -> None:
    """Keep private requests, and what hangs on them, to who made them."""
    asked = words("request", "id", "made_by", "private_to")
    op.execute(asked.update().where(sa.column("private", sa.Boolean()).is_(sa.true())).values(private_to=asked.c.made_by))
    image, published = words("image", "id", "request_id", "private_to"), words("published", "id", "image_id", "private_to")
    job, event = words("job", "key", "private_to"), words("event", "subject", "private_to")
    for table, parent, meets in (
        (image, asked, image.c.request_id == asked.c.id),
        (published, image, published.c.image_id == image.c.id),
        (job, asked, job.c.key == "generation.create:" + asked.c.id),
        (event, asked, event.c.subject == "request/" + asked.c.id),
        (event, published, event.c.subject == "published/" + published.c.id),
    ):
        private = sa.select(parent.c.private_to).where(meets, parent.c.private_to != "")
        op.execute(table.update().where(sa.exists(private)).values(private_to=private.scalar_subquery()))
