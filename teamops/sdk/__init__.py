"""Beats from inside an agent's own loop. Standard library only."""
