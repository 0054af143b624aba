"""Writing a frozen version in the forms that other tools read."""
