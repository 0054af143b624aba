"""A thinned copy of the corpus emoji-styles that ships with Sfumato, and the script that makes it."""
