"""One encoder per file; each runs by onnxruntime alone."""
