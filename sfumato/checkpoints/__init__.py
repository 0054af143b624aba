"""Weights that say what they are: files with a header, and the models that people name."""
