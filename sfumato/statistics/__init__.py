"""Numbers in, numbers out: intervals of shares and of means."""
