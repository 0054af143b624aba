"""Measuring models against what was held out, with intervals: recall, near copies, ceiling and floor."""
