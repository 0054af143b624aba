"""One recipe per file: its options, its batches and its loss. The loop knows nothing of them."""
