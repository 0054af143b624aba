"""The API: one module per room, one route per action or query that a program may use."""
