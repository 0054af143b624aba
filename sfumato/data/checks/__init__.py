"""One check per file: it proposes what may be wrong with a dataset's pictures; only people decide."""
