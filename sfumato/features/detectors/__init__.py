"""One network per file that finds something in a picture; each runs by onnxruntime alone."""
