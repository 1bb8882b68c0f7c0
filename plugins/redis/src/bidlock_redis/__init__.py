"""bidlock on Redis and Valkey."""
