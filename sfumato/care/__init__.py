"""Care of a workspace: looking after its health, keeping copies of it, making room, erasing what has to go."""
