"""Pictures to learn from: collected with their origin and licence, then frozen into versions."""
