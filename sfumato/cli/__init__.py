"""The command line: each command a few lines over an action, groups loaded when they are called."""
