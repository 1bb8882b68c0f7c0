"""bidlock on a SQLite file."""
