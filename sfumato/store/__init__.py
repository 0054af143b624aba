"""Files kept by the hash of their content: written once, never changed, found again by name alone."""

from sfumato.store.files import Store

__all__ = ["Store"]
