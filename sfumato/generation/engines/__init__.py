"""One engine per file: it loads a checkpoint and gives back a function from arrays to arrays."""
