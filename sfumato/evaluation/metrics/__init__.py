"""One metric per file: which features it wants, which way is better, and a function from evidence to figures."""
