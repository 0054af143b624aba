"""Alembic's entry point; the connection and its transaction belong to whoever called."""

from alembic import context

context.run_migrations()
