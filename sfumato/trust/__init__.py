"""Looks at one subject: who signed it, what was marked, and what its licence asks."""
