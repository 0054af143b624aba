"""Secrets that are shown once: 256 random bits, kept as their SHA-256 alone."""

import hashlib
import secrets


def fresh(prefix: str = "") -> tuple[str, str]:
    """A new secret and the hash by which it is known from now on."""
    secret = prefix + secrets.token_urlsafe(32)
    return secret, hash_of(secret)


def hash_of(secret: str) -> str:
    """The hash of a secret; of one that no program can have made, the hash of nothing that was ever given out."""
    return hashlib.sha256(secret.strip().encode("utf-8", "surrogatepass")).hexdigest()
