"""A model that comes along, and an empty workspace beside it."""

from tests.pictured import embedded, pictured, studio_folder  # noqa: F401
