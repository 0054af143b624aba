"""One loop, many recipes: data and a seed in, progress, previews and checkpoints out."""
