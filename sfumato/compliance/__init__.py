"""Where a picture comes from, and what may be done with it: traces, and the answer to "may I use it?"."""
