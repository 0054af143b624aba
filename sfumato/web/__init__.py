"""The web door: pages for people and an API for programs, both thin over the same actions."""
