"""Where everything that happens enters: each source turns one part of the world into events."""
