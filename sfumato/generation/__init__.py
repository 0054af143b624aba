"""A sentence becomes pictures: what the model knows of it, the drawing, and the one way out."""
