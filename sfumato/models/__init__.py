"""Pure tensors: networks, samplers and running averages, with no knowledge of files, rows or people."""
