"""Sfumato: one studio and one record for a team that makes image generation."""

__version__ = "0.1.0"
