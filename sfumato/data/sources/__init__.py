"""One source per file: each reads pictures with what is known of them, from one kind of place."""
