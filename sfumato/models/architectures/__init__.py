"""One network per file; the folder is the registry."""
