"""Lines of a client's log into usage records, and their price."""
