"""Numbers in, numbers out: intervals of shares and of means, balance of groups, diversity of features."""
