"""People: who they are, what they may do in which project, and by what they are known."""
