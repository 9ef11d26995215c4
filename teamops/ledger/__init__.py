"""The memory that survives kill -9: SQLite."""
