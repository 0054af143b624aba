"""Sfumato: one studio and one record for a team that makes image generation."""
