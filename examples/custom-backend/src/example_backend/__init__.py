"""A third-party backend in about 80 lines."""
