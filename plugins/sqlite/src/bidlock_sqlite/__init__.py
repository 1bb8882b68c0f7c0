"""bidlock on a SQLite file: one host, durable, and in step with the original bot's table."""
